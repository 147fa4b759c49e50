package kubelet

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// In a container the kubelet can only work if what it mounts below its directory is seen on the node, where the container
// runtime looks for the volumes of pods. Otherwise pods would start with empty directories in their place, so it says what
// to do and ends. KUBELET_PREFLIGHT=off starts it all the same.
func init() {
	if filepath.Base(os.Args[0]) != "kubelet" || os.Getenv("KUBELET_PREFLIGHT") == "off" {
		return
	}
	root := "/var/lib/kubelet"
	for i, arg := range os.Args[1:] {
		switch name := strings.TrimPrefix(arg, "-"); {
		case name == "h" || name == "-help" || strings.HasPrefix(name, "-version"):
			return
		case strings.HasPrefix(name, "-root-dir="):
			root = strings.TrimPrefix(name, "-root-dir=")
		case name == "-root-dir" && i+2 < len(os.Args):
			root = os.Args[i+2]
		}
	}
	if target, err := filepath.EvalSymlinks(root); err == nil {
		root = target
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || sharedWithNode(string(mounts), filepath.Clean(root)) {
		return
	}
	fmt.Fprintf(os.Stderr, "kubelet: %[1]s is not shared with the node, so pods would not see their volumes. "+
		"On the node run: mkdir -p %[1]s; mountpoint -q %[1]s || mount --bind %[1]s %[1]s; mount --make-rshared %[1]s; "+
		"and start the container with %[1]s mounted at the same path with propagation rshared "+
		"(npm run recipe prints the whole command). KUBELET_PREFLIGHT=off leaves this check out.\n", root)
	os.Exit(1)
}

// sharedWithNode tells whether a directory is on a shared mount that is not the file system of a container's image, by the
// text of /proc/self/mountinfo: see proc(5).
func sharedWithNode(mounts, directory string) bool {
	point, shared := "", false
	for _, line := range strings.Split(mounts, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 10 {
			continue
		}
		candidate := fields[4]
		above := candidate == "/" || directory == candidate || strings.HasPrefix(directory, candidate+"/")
		// Of mounts at one place the last is on top.
		if !above || len(candidate) < len(point) {
			continue
		}
		point, shared = candidate, false
		image := false
		for i, field := range fields[6:] {
			if strings.HasPrefix(field, "shared:") {
				shared = true
			}
			if field == "-" {
				image = candidate == "/" && fields[6+i+1] == "overlay"
				break
			}
		}
		shared = shared && !image
	}
	return shared
}
