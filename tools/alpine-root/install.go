package main

import (
	"archive/tar"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"chainguard.dev/apko/pkg/apk/apk"
	apkfs "chainguard.dev/apko/pkg/apk/fs"
)

// database is where apko lists the installed packages and their files.
const database = "usr/lib/apk/db/installed"

// local is a package that fetch has verified.
type local struct {
	Package
	folder string
}

func (p local) URL() string            { return filepath.Join(p.folder, p.File()) }
func (p local) PackageName() string    { return p.Name }
func (p local) ChecksumString() string { return p.Checksum }

// install unpacks the packages of a folder that fetch wrote. Environment: ARCH, Alpine's name of the architecture;
// WORLD and REPOSITORIES, the content of /etc/apk/world and of /etc/apk/repositories.
// As with apko, no script of a package runs.
func install(ctx context.Context, folder, root string) error {
	var packages []Package
	if err := readJSON(filepath.Join(folder, manifest), &packages); err != nil {
		return err
	}
	tree := apkfs.DirFS(ctx, root, apkfs.WithCreateDir())
	installer, err := apk.New(ctx, apk.WithFS(tree), apk.WithArch(os.Getenv("ARCH")), apk.WithIgnoreMknodErrors(true))
	if err != nil {
		return err
	}
	// Repositories are not named here: for Alpine's it would fetch keys from the network.
	if err := installer.InitDB(ctx); err != nil {
		return err
	}
	if err := installer.SetWorld(ctx, strings.Fields(os.Getenv("WORLD"))); err != nil {
		return err
	}
	if err := installer.SetRepositories(ctx, strings.Fields(os.Getenv("REPOSITORIES"))); err != nil {
		return err
	}
	var installable []apk.InstallablePackage
	for _, p := range packages {
		installable = append(installable, local{p, folder})
	}
	if _, err := installer.InstallPackages(ctx, &time.Time{}, installable); err != nil {
		return err
	}
	if err := setModes(root); err != nil {
		return err
	}
	if err := linkBusybox(root); err != nil {
		return err
	}
	return moveDatabase(root)
}

// linkBusybox does what the install script of busybox would do: a link for each command that is not there yet.
func linkBusybox(root string) error {
	paths, err := os.ReadFile(filepath.Join(root, "etc/busybox-paths.d/busybox"))
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	for _, name := range strings.Fields(string(paths)) {
		link := filepath.Join(root, name)
		if _, err := os.Lstat(link); err == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return err
		}
		if err := os.Symlink("/bin/busybox", link); err != nil {
			return err
		}
	}
	return nil
}

// moveDatabase puts the list of installed packages where Alpine's own apk has it and vulnerability scanners look, and
// removes what only apk, which is not in the image, would need.
func moveDatabase(root string) error {
	in := func(name string) string { return filepath.Join(root, name) }
	installed, err := os.ReadFile(in(database))
	if err != nil {
		return err
	}
	for _, name := range []string{"usr/lib/apk", "lib/apk", "etc/apk/keys", "var/cache/apk", "var/cache/misc", "dev"} {
		if err := os.RemoveAll(in(name)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(in("lib/apk/db"), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(in("dev"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(in("lib/apk/db/installed"), installed, 0o644)
}

// setModes gives directories the modes of their packages, which unpacking does not do for one that is there already,
// and takes setuid and setgid bits away: everything in these images runs as root.
func setModes(root string) error {
	modes, err := directoryModes(filepath.Join(root, database))
	if err != nil {
		return err
	}
	for name, mode := range modes {
		if err := os.Chmod(filepath.Join(root, name), mode); err != nil {
			return err
		}
	}
	return filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil || info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) == 0 {
			return err
		}
		return os.Chmod(file, info.Mode()&^(fs.ModeSetuid|fs.ModeSetgid))
	})
}

// directoryModes reads the modes of directories from apk's list of installed files: F is a directory, M its owner, group
// and mode where these are not usual. (apko's own reader of that list leaves M out.)
func directoryModes(list string) (map[string]fs.FileMode, error) {
	content, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	modes := map[string]fs.FileMode{}
	directory := ""
	for _, line := range strings.Split(string(content), "\n") {
		letter, value, _ := strings.Cut(line, ":")
		switch letter {
		case "F":
			directory = value
			modes[directory] = 0o755
		case "M":
			bits, err := strconv.ParseUint(value[strings.LastIndex(value, ":")+1:], 8, 32)
			if err != nil {
				return nil, err
			}
			modes[directory] = (&tar.Header{Mode: int64(bits)}).FileInfo().Mode()
		}
	}
	delete(modes, "")
	return modes, nil
}
