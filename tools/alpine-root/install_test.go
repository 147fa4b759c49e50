package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// tree makes files with contents below a directory of the test.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestDirectoryModes(t *testing.T) {
	root := tree(t, map[string]string{database: "P:base\nF:\nF:etc\nF:root\nM:0:0:700\nR:file\na:0:0:600\nF:tmp\nM:0:0:1777\n"})
	modes, err := directoryModes(filepath.Join(root, database))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{
		"etc":  0o755,
		"root": fs.ModeDir | 0o700,
		"tmp":  fs.ModeDir | fs.ModeSticky | 0o777,
	}
	for name, mode := range want {
		if modes[name].Perm() != mode.Perm() || modes[name]&fs.ModeSticky != mode&fs.ModeSticky {
			t.Errorf("%s has mode %v, want %v", name, modes[name], mode)
		}
	}
	if len(modes) != len(want) {
		t.Errorf("modes of %v", modes)
	}
}

func TestSetModes(t *testing.T) {
	root := tree(t, map[string]string{database: "F:secret\nM:0:0:700\n", "secret/file": "", "bin/su": ""})
	if err := os.Chmod(filepath.Join(root, "bin/su"), fs.ModeSetuid|0o755); err != nil {
		t.Fatal(err)
	}
	if err := setModes(root); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"secret": fs.ModeDir | 0o700, "bin/su": 0o755} {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
}

func TestLinkBusybox(t *testing.T) {
	root := tree(t, map[string]string{"etc/busybox-paths.d/busybox": "bin/ls\nusr/bin/awk\nbin/mount\n", "bin/mount": "its own"})
	if err := linkBusybox(root); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"bin/ls": "/bin/busybox", "usr/bin/awk": "/bin/busybox", "bin/mount": ""} {
		if got, _ := os.Readlink(filepath.Join(root, name)); got != want {
			t.Errorf("%s leads to %q, want %q", name, got, want)
		}
	}
	if err := linkBusybox(t.TempDir()); err != nil {
		t.Errorf("without busybox: %v", err)
	}
}

func TestMoveDatabase(t *testing.T) {
	root := tree(t, map[string]string{database: "P:base\n", "etc/apk/keys/key": "", "etc/apk/world": "", "dev/null": "", "var/cache/apk/x": ""})
	if err := moveDatabase(root); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"lib/apk/db/installed": true, "etc/apk/world": true, "dev": true,
		database: false, "etc/apk/keys": false, "dev/null": false, "var/cache/apk": false,
	} {
		if _, err := os.Stat(filepath.Join(root, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNoPackageIsRefused(t *testing.T) {
	if err := verify(context.Background(), []byte("no package"), "Q1x"); err == nil {
		t.Error("it was taken")
	}
}
