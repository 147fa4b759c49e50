package kubelet

import (
	"encoding/json"
	"strings"
	"testing"
)

const (
	imageRoot = "1 0 0:1 / / rw,relatime - overlay overlay rw\n"
	plainRoot = "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	shared    = "2 1 8:1 /var/lib/kubelet /var/lib/kubelet rw,relatime shared:7 - ext4 /dev/sda1 rw\n"
	slave     = "2 1 8:1 /var/lib/kubelet /var/lib/kubelet rw,relatime master:7 - ext4 /dev/sda1 rw\n"
	private   = "2 1 8:1 /var/lib/kubelet /var/lib/kubelet rw,relatime - ext4 /dev/sda1 rw\n"
)

func TestSharedWithNode(t *testing.T) {
	for _, test := range []struct {
		name, mounts, directory string
		want                    bool
	}{
		{"in a container, mounted and shared", imageRoot + shared, "/var/lib/kubelet", true},
		{"in a container, not mounted", imageRoot, "/var/lib/kubelet", false},
		{"in a container whose root is shared, not mounted", "1 0 0:1 / / rw shared:3 - overlay overlay rw\n", "/var/lib/kubelet", false},
		{"in a container, seen one way", imageRoot + slave, "/var/lib/kubelet", false},
		{"in a container, private", imageRoot + private, "/var/lib/kubelet", false},
		{"on the host", plainRoot, "/var/lib/kubelet", true},
		{"a mount above it", imageRoot + strings.ReplaceAll(shared, "/var/lib/kubelet ", "/var/lib "), "/var/lib/kubelet", true},
		{"a mount beside it", imageRoot + strings.ReplaceAll(shared, "/var/lib/kubelet ", "/var/lib/kube "), "/var/lib/kubelet", false},
		{"the last of two at one place", imageRoot + shared + private, "/var/lib/kubelet", false},
		{"another directory", imageRoot + shared, "/srv/kubelet", false},
	} {
		if got := sharedWithNode(test.mounts, test.directory); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// all is a node on which nothing is wrong.
func all() map[string]string {
	return map[string]string{
		"/proc/self/mountinfo":                         plainRoot,
		"/proc/sys/net/bridge/bridge-nf-call-iptables": "1\n",
		"/proc/swaps":                                  "Filename Type Size Used Priority\n",
		"/sys/fs/cgroup/cgroup.controllers":            "cpu memory\n",
		"/etc/resolv.conf":                             "nameserver 192.0.2.53\n",
		"/etc/containerd/config.toml":                  "version = 2\n  SystemdCgroup = true\n",
		"/var/lib/kubelet/config.yaml":                 "kind: KubeletConfiguration\ncgroupDriver: systemd\nfailSwapOn: false\n",
	}
}

func TestFindings(t *testing.T) {
	const config = "/var/lib/kubelet/config.yaml"
	for _, test := range []struct {
		name, release string
		args          []string
		files         map[string]string
		// Beginnings of what is found; fatal ones with an exclamation mark.
		want []string
	}{
		{name: "nothing", want: nil},
		{name: "private directory", files: map[string]string{"/proc/self/mountinfo": plainRoot + private}, want: []string{"!/var/lib/kubelet is not shared"}},
		{
			name: "another directory", args: []string{"--root-dir", "/srv/k"},
			files: map[string]string{"/proc/self/mountinfo": plainRoot + strings.ReplaceAll(private, "/var/lib/kubelet", "/srv/k")},
			want:  []string{"!/srv/k is not shared"},
		},
		{name: "containerd by cgroupfs", files: map[string]string{"/etc/containerd/config.toml": "version = 2\n"}, want: []string{"!the kubelet's driver of control groups is systemd and containerd's is cgroupfs"}},
		{name: "configured in parts", files: map[string]string{"/etc/containerd/config.toml": "imports = [\"/etc/containerd/conf.d/*.toml\"]\n"}, want: []string{"the kubelet's driver of control groups is systemd"}},
		{name: "the kubelet by cgroupfs", files: map[string]string{config: "failSwapOn: false\n"}, want: []string{"!the kubelet's driver of control groups is cgroupfs and containerd's is systemd"}},
		{name: "a flag beside the configuration", args: []string{"--cgroup-driver=cgroupfs"}, want: []string{"!the kubelet's driver of control groups is cgroupfs"}},
		{name: "containerd is asked", release: "v1.34.0", files: map[string]string{"/etc/containerd/config.toml": "version = 3\n"}, want: nil},
		{name: "containerd 1 is not", release: "v1.34.0", files: map[string]string{"/etc/containerd/config.toml": "version = 2\n"}, want: []string{"!the kubelet's driver"}},
		{name: "cgroup v1", release: "v1.35.0", files: map[string]string{"/sys/fs/cgroup/cgroup.controllers": ""}, want: []string{"!this host has version 1"}},
		{name: "cgroup v1, and allowed", release: "v1.36.0", files: map[string]string{"/sys/fs/cgroup/cgroup.controllers": "", config: "cgroupDriver: systemd\nfailSwapOn: false\nfailCgroupV1: false\n"}, want: nil},
		{name: "cgroup v1 before", release: "v1.34.0", files: map[string]string{"/sys/fs/cgroup/cgroup.controllers": ""}, want: nil},
		{name: "systemd-resolved", files: map[string]string{"/etc/resolv.conf": "# stub\nnameserver 127.0.0.53\n"}, want: []string{"/etc/resolv.conf names a resolver on a loopback address"}},
		{name: "its other file", args: []string{"--resolv-conf=/run/r"}, files: map[string]string{"/etc/resolv.conf": "nameserver 127.0.0.53\n", "/run/r": "nameserver 192.0.2.1\n"}, want: nil},
		{name: "swap", files: map[string]string{"/proc/swaps": "Filename\n/dev/sda2 partition\n", config: "cgroupDriver: systemd\n"}, want: []string{"swap is in use"}},
		{name: "swap, and allowed", files: map[string]string{"/proc/swaps": "Filename\n/dev/sda2 partition\n"}, want: nil},
		{name: "no br_netfilter", files: map[string]string{"/proc/sys/net/bridge/bridge-nf-call-iptables": ""}, want: []string{"traffic on bridges"}},
		{name: "a quoted value", files: map[string]string{config: "cgroupDriver: \"systemd\" \nfailSwapOn: false\n"}, want: nil},
	} {
		files := all()
		for name, content := range test.files {
			files[name] = content
		}
		if test.release == "" {
			test.release = "v1.24.0"
		}
		this := node{
			args:    append([]string{"--config=" + config, "--container-runtime=remote"}, test.args...),
			release: test.release,
			read:    func(name string) string { return files[name] },
			exists:  func(string) bool { return true },
		}
		found := this.findings()
		if len(found) != len(test.want) {
			t.Errorf("%s: found %v", test.name, found)
			continue
		}
		for i, want := range test.want {
			fatal := strings.HasPrefix(want, "!")
			if found[i].fatal != fatal || !strings.HasPrefix(found[i].what, strings.TrimPrefix(want, "!")) {
				t.Errorf("%s: found %v, want %q", test.name, found[i], want)
			}
		}
	}
}

// Of the host's paths those are told that the container has not, and that the host has.
func TestMountedPaths(t *testing.T) {
	has := map[string]bool{"/sys/kernel/security": true}
	mounts := imageRoot + shared
	this := node{
		release:     "v1.24.0",
		read:        func(string) string { return mounts },
		exists:      func(name string) bool { return has[name] },
		inContainer: true,
	}
	var contract []hostPath
	if err := json.Unmarshal(hostContract, &contract); err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, found := range mountedPaths(this) {
		told[strings.TrimSuffix(found.what, " is the container's own")] = true
	}
	for _, path := range contract {
		want := contains(path.Containers, "kubelet") && path.Runtime != "dockershim" &&
			(path.Required || has[path.Path]) && path.Path != "/var/lib/kubelet"
		if told[path.Path] != want {
			t.Errorf("%s: told %v, want %v", path.Path, told[path.Path], want)
		}
		mounts += "9 1 8:1 / " + path.Path + " rw - ext4 /dev/sda1 rw\n"
	}
	if found := mountedPaths(this); len(found) > 0 {
		t.Errorf("with every mount: %v", found)
	}
	mounts, this.inContainer = imageRoot, false
	if found := mountedPaths(this); len(found) > 0 {
		t.Errorf("on the host: %v", found)
	}
}

func TestOnlyTells(t *testing.T) {
	for args, want := range map[string]bool{
		"--version": true, "--version=raw": true, "-h": true, "--help": true, "--config=x": false, "--hostname-override=h": false,
	} {
		if got := (node{args: strings.Fields(args)}).onlyTells(); got != want {
			t.Errorf("%s: %v", args, got)
		}
	}
}

func TestReport(t *testing.T) {
	var lines []string
	print := func(line string) { lines = append(lines, line) }
	if report([]finding{{false, "a is b", "c", "Do d"}}, print) {
		t.Error("a warning is fatal")
	}
	if !report([]finding{{true, "e is f", "g", "Do h"}}, print) {
		t.Error("an error is not fatal")
	}
	want := "kubelet: preflight warning: a is b, so c. Do d.\nkubelet: preflight error: e is f, so g. Do h.\n" +
		"kubelet: KUBELET_PREFLIGHT=off in its environment leaves these checks out."
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("printed %q", got)
	}
}
