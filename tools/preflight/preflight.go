// Package kubelet becomes a part of the kubelet's main package: images/kubernetes/compile.sh copies it there. Before the kubelet starts it looks
// whether host, container and container runtime fit together, which upstream's kubelet, made to run on the host, need not ask.
package kubelet

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// hostContract is what the container must see of the host; the recipes make their mounts of it.
//
//go:embed host.json
var hostContract []byte

type hostPath struct {
	Path       string
	Containers []string
	Runtime    string
	Required   bool
	Without    string
}

// finding is something that does not fit. A fatal one would break pods.
type finding struct {
	fatal bool
	// What is found, why it matters, and what to do.
	what, why, remedy string
}

func (f finding) String() string { return f.what + ", so " + f.why + ". " + f.remedy + "." }

// node is what the checks look at.
type node struct {
	args    []string
	release string
	// read gives the content of a file, or nothing.
	read func(name string) string
	// exists tells whether the host has a file, as far as that can be seen.
	exists func(name string) bool
	// inContainer tells whether the kubelet has a root of its own.
	inContainer bool
}

// A check finds what does not fit, or nothing.
var checks = []func(node) []finding{
	sharedDirectory, mountedPaths, cgroupDrivers, cgroupVersion, resolverLoop, swapInUse, bridgedTraffic,
}

func init() {
	if filepath.Base(os.Args[0]) != "kubelet" {
		return
	}
	this := thisNode()
	this.followHost()
	asked := len(os.Args) > 1 && os.Args[1] == "preflight"
	if !asked && (os.Getenv("KUBELET_PREFLIGHT") == "off" || this.onlyTells()) {
		return
	}
	fatal := report(this.findings(), func(line string) { fmt.Fprintln(os.Stderr, line) })
	switch {
	case fatal:
		os.Exit(1)
	case asked:
		os.Exit(0)
	}
}

// report prints each finding in a line, and tells whether one of them is fatal.
func report(findings []finding, print func(string)) bool {
	fatal := false
	for _, found := range findings {
		word := "warning"
		if found.fatal {
			fatal, word = true, "error"
		}
		print("kubelet: preflight " + word + ": " + found.String())
	}
	if fatal {
		print("kubelet: KUBELET_PREFLIGHT=off in its environment leaves these checks out.")
	}
	return fatal
}

func thisNode() node {
	return node{
		args:    os.Args[1:],
		release: release,
		read: func(name string) string {
			content, err := os.ReadFile(name)
			if err != nil {
				return ""
			}
			return string(content)
		},
		exists: func(name string) bool {
			_, err := os.Lstat(hostRoot + name)
			return err == nil
		},
		inContainer: rootOfItsOwn(),
	}
}

// Of the host's processes, which the container shares, the first has the host's root.
const hostRoot = "/proc/1/root"

func rootOfItsOwn() bool {
	ours, err := os.Stat("/")
	if err != nil {
		return false
	}
	theirs, err := os.Stat(hostRoot + "/")
	return err == nil && !os.SameFile(ours, theirs)
}

// followHost makes the resolver's configuration and the names of the host those of the container, also after they were replaced, where
// the container runtime has not mounted any. A mount would keep the file of the start.
func (n node) followHost() {
	mounts := n.read("/proc/self/mountinfo")
	if !n.inContainer || mounts == "" {
		return
	}
	for _, name := range []string{"/etc/resolv.conf", "/etc/hosts"} {
		if point, _ := mountOf(mounts, name); point == name {
			continue
		}
		// A link of the host that leads nowhere from here, and a root that cannot be written, leave what there is.
		if _, err := os.Stat(hostRoot + name); err == nil && os.Symlink(hostRoot+name, name+".host") == nil {
			_ = os.Rename(name+".host", name)
		}
	}
}

func (n node) findings() []finding {
	var found []finding
	for _, check := range checks {
		found = append(found, check(n)...)
	}
	return found
}

// onlyTells is true where the kubelet prints something and ends.
func (n node) onlyTells() bool {
	for _, arg := range n.args {
		name := strings.TrimPrefix(arg, "-")
		if name == "h" || name == "-help" || strings.HasPrefix(name, "-version") {
			return true
		}
	}
	return false
}

// flag gives the value of a flag, the last if it is given more than once.
func (n node) flag(name string) string {
	value := ""
	for i, arg := range n.args {
		flag := strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
		switch {
		case strings.HasPrefix(flag, name+"="):
			value = strings.TrimPrefix(flag, name+"=")
		case flag == name && i+1 < len(n.args):
			value = n.args[i+1]
		}
	}
	return value
}

// setting gives a setting by its flag, or of the configuration by the name of a field at its top; or what it is by default.
func (n node) setting(flag, field, standard string) string {
	if value := n.flag(flag); value != "" {
		return value
	}
	pattern := regexp.MustCompile(`(?m)^` + field + `:[ \t]*['"]?([^'"#\r\n]*?)['"]?[ \t]*$`)
	if match := pattern.FindStringSubmatch(n.read(n.flag("config"))); match != nil && match[1] != "" {
		return match[1]
	}
	return standard
}

// minor of the release: 24 of v1.24.0.
func (n node) minor() int {
	parts := strings.Split(n.release, ".")
	if len(parts) < 2 {
		return 0
	}
	minor, _ := strconv.Atoi(parts[1])
	return minor
}

func (n node) dockershim() bool {
	return n.minor() < 24 && n.flag("container-runtime") != "remote"
}

func sharedDirectory(n node) []finding {
	root := n.flag("root-dir")
	if root == "" {
		root = "/var/lib/kubelet"
	}
	if target, err := filepath.EvalSymlinks(root); err == nil {
		root = target
	}
	mounts := n.read("/proc/self/mountinfo")
	if mounts == "" || sharedWithNode(mounts, filepath.Clean(root)) {
		return nil
	}
	return []finding{{true,
		root + " is not shared with the node", "pods would not see their volumes",
		fmt.Sprintf("On the node run: mkdir -p %[1]s; mountpoint -q %[1]s || mount --bind %[1]s %[1]s; mount --make-rshared %[1]s; "+
			"and start the container with %[1]s mounted at the same path with propagation rshared (npm run recipe prints the whole command)", root),
	}}
}

func mountedPaths(n node) []finding {
	mounts := n.read("/proc/self/mountinfo")
	var contract []hostPath
	if mounts == "" || !n.inContainer || json.Unmarshal(hostContract, &contract) != nil {
		return nil
	}
	var found []finding
	for _, path := range contract {
		wanted := contains(path.Containers, "kubelet") && (path.Runtime == "" || (path.Runtime == "dockershim") == n.dockershim())
		// Whether that one is shared is looked at on its own.
		if !wanted || path.Path == "/var/lib/kubelet" || (!path.Required && !n.exists(path.Path)) {
			continue
		}
		if point, _ := mountOf(mounts, path.Path); point == "/" {
			found = append(found, finding{false,
				path.Path + " is the container's own", path.Without,
				"Mount the host's at the same path",
			})
		}
	}
	return found
}

func contains(list []string, word string) bool {
	for _, one := range list {
		if one == word {
			return true
		}
	}
	return false
}

// containerd says in its configuration by which driver it makes control groups; by another than the kubelet's no pod stays.
func cgroupDrivers(n node) []finding {
	config := n.read("/etc/containerd/config.toml")
	// From 1.34 on the kubelet asks the container runtime, and containerd 2 answers.
	if config == "" || n.dockershim() || (n.minor() >= 34 && regexp.MustCompile(`(?m)^version\s*=\s*3`).MatchString(config)) {
		return nil
	}
	ours, theirs := n.setting("cgroup-driver", "cgroupDriver", "cgroupfs"), "cgroupfs"
	if regexp.MustCompile(`(?m)^\s*SystemdCgroup\s*=\s*true`).MatchString(config) {
		theirs = "systemd"
	}
	if ours == theirs {
		return nil
	}
	return []finding{{!strings.Contains(config, "imports"),
		fmt.Sprintf("the kubelet's driver of control groups is %s and containerd's is %s", ours, theirs),
		"pods would be killed as soon as they run",
		fmt.Sprintf("Set SystemdCgroup = %v for the runtime runc in /etc/containerd/config.toml and restart containerd, or set cgroupDriver: %s", ours == "systemd", theirs),
	}}
}

func cgroupVersion(n node) []finding {
	// failCgroupV1 is true by default from 1.35 on.
	if n.minor() < 35 || n.read("/sys/fs/cgroup/cgroup.controllers") != "" || n.setting("fail-cgroupv1", "failCgroupV1", "true") != "true" {
		return nil
	}
	return []finding{{true,
		"this host has version 1 of control groups", "the kubelet of " + n.release + " ends at once",
		"Start the host with systemd.unified_cgroup_hierarchy=1, or set failCgroupV1: false",
	}}
}

// A pod that has the node's resolver on a loopback address would ask itself; CoreDNS ends with "Loop detected".
func resolverLoop(n node) []finding {
	name := n.setting("resolv-conf", "resolvConf", "/etc/resolv.conf")
	if !regexp.MustCompile(`(?m)^\s*nameserver\s+(127\.|::1\b)`).MatchString(n.read(name)) {
		return nil
	}
	return []finding{{false,
		name + " names a resolver on a loopback address", "pods with the node's DNS, CoreDNS above all, would ask themselves",
		"Start the kubelet with --resolv-conf=FILE, for systemd-resolved /run/systemd/resolve/resolv.conf",
	}}
}

func swapInUse(n node) []finding {
	inUse := len(strings.Split(strings.TrimSpace(n.read("/proc/swaps")), "\n")) > 1
	if !inUse || n.setting("fail-swap-on", "failSwapOn", "true") != "true" {
		return nil
	}
	return []finding{{false,
		"swap is in use", "this kubelet ends at once",
		"Run swapoff -a, or set failSwapOn: false",
	}}
}

func bridgedTraffic(n node) []finding {
	const setting = "/proc/sys/net/bridge/bridge-nf-call-iptables"
	if strings.TrimSpace(n.read(setting)) == "1" {
		return nil
	}
	return []finding{{false,
		"traffic on bridges does not pass iptables", "pods may not reach services whose endpoint is on the same node",
		"On the node run: modprobe br_netfilter; sysctl -w net.bridge.bridge-nf-call-iptables=1",
	}}
}

// sharedWithNode tells whether a directory is on a shared mount that is not the file system of a container's image, by the
// text of /proc/self/mountinfo: see proc(5).
func sharedWithNode(mounts, directory string) bool {
	point, fields := mountOf(mounts, directory)
	if point == "/" && fileSystem(fields) == "overlay" {
		return false
	}
	for _, field := range fields {
		if field == "-" {
			break
		}
		if strings.HasPrefix(field, "shared:") {
			return true
		}
	}
	return false
}

// mountOf gives the mount point that a path is on, and the fields of its line from the options on.
func mountOf(mounts, path string) (point string, options []string) {
	for _, line := range strings.Split(mounts, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 10 {
			continue
		}
		candidate := fields[4]
		above := candidate == "/" || path == candidate || strings.HasPrefix(path, candidate+"/")
		// Of mounts at one place the last is on top.
		if above && len(candidate) >= len(point) {
			point, options = candidate, fields[6:]
		}
	}
	return point, options
}

func fileSystem(options []string) string {
	for i, field := range options {
		if field == "-" && i+1 < len(options) {
			return options[i+1]
		}
	}
	return ""
}
