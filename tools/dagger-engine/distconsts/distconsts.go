// Package distconsts replaces the package of this name in the Dagger repository, which is not published
// as a module. It names where the engine finds its parts: here beside its own executable, so that nothing
// has to be installed on the host.
package distconsts

import (
	"os"
	"os/exec"
	"path/filepath"
)

var (
	// RuncPath is the host's runc.
	RuncPath = lookPath("runc")
	// DaggerInitPath is the first process of every container that the engine runs.
	DaggerInitPath = besideExecutable("init")
)

const (
	EngineContainerName   = "dagger-engine.dev"
	EngineDefaultStateDir = "/var/lib/dagger"
	DefaultEngineSockAddr = "unix:///run/dagger/engine.sock"

	// EngineCustomCACertsDir holds certificates that every container of a build trusts too.
	EngineCustomCACertsDir = "/usr/local/share/ca-certificates"

	// EngineContainerBuiltinContentDir holds Dagger's own language SDKs, which this project does not use.
	EngineContainerBuiltinContentDir   = "/usr/local/share/dagger/content"
	GoSDKManifestDigestEnvName         = "DAGGER_GO_SDK_MANIFEST_DIGEST"
	PythonSDKManifestDigestEnvName     = "DAGGER_PYTHON_SDK_MANIFEST_DIGEST"
	TypescriptSDKManifestDigestEnvName = "DAGGER_TYPESCRIPT_SDK_MANIFEST_DIGEST"

	OCIVersionAnnotation = "org.opencontainers.image.version"

	// Images that only Dagger's interactive terminal uses by itself.
	AlpineVersion = "3.22.1"
	AlpineImage   = "alpine:" + AlpineVersion
	GolangImage   = "golang:1.25-alpine"
	BusyboxImage  = "busybox:1.37.0"
)

func lookPath(program string) string {
	path, err := exec.LookPath(program)
	if err != nil {
		return program
	}
	return path
}

func besideExecutable(program string) string {
	executable, err := os.Executable()
	if err != nil {
		return program
	}
	return filepath.Join(filepath.Dir(executable), program)
}
