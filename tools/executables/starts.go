package main

import (
	"go/types"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// starters are the functions of the standard library that start a program or look for it, with the position of the name.
var starters = map[string]int{
	"os.StartProcess":        0,
	"os/exec.Command":        0,
	"os/exec.CommandContext": 1,
	"os/exec.LookPath":       0,
	"syscall.Exec":           0,
	"syscall.ForkExec":       0,
	"syscall.StartProcess":   0,
}

// plumbing only hands a name on, so what calls it is the call site.
var plumbing = []string{"os", "os/exec", "syscall", "golang.org/x/sys/execabs", "golang.org/x/sys/unix", "k8s.io/utils/exec"}

func isPlumbing(function *ssa.Function) bool {
	if function.Package() == nil {
		// A wrapper that the compiler makes for a method of an embedded field or a method value.
		return true
	}
	return slices.Contains(plumbing, function.Package().Pkg.Path())
}

// starts gives for each call site the names that can reach it.
func (x *index) starts() map[string]names {
	type nameParameter struct {
		function *ssa.Function
		position int
	}
	var work []nameParameter
	for function := range x.functions {
		if position, ok := starters[function.String()]; ok {
			work = append(work, nameParameter{function, position})
		}
	}
	found := map[string]names{}
	record := func(in *ssa.Function, value ssa.Value) {
		site := siteOf(in)
		if found[site] == nil {
			found[site] = names{}
		}
		maps.Copy(found[site], x.resolve(value))
	}
	seen := map[nameParameter]bool{}
	for len(work) > 0 {
		to := work[0]
		work = work[1:]
		if seen[to] {
			continue
		}
		seen[to] = true
		for _, call := range x.callers(to.function) {
			argument := argumentAt(call, to.position)
			caller := call.Parent()
			if !isPlumbing(caller) {
				record(caller, argument)
			} else if parameter, ok := argument.(*ssa.Parameter); ok {
				work = append(work, nameParameter{caller, slices.Index(caller.Params, parameter)})
			}
		}
	}
	// A command put together by hand.
	for field, stores := range x.fieldStores {
		if !isCommandPath(field) {
			continue
		}
		for _, store := range stores {
			if !isPlumbing(store.Parent()) {
				record(store.Parent(), store.Val)
			}
		}
	}
	return found
}

// isCommandPath recognises the field Path of exec.Cmd.
func isCommandPath(field *types.Var) bool {
	return field.Name() == "Path" && field.Pkg() != nil && field.Pkg().Path() == "os/exec"
}

// siteOf is "import/path.Function" or "import/path.Type.Method"; a function literal counts as the function around it.
func siteOf(function *ssa.Function) string {
	for function.Parent() != nil {
		function = function.Parent()
	}
	if origin := function.Origin(); origin != nil {
		function = origin
	}
	name := function.Name()
	if receiver := function.Signature.Recv(); receiver != nil {
		kind := receiver.Type()
		if pointer, ok := kind.(*types.Pointer); ok {
			kind = pointer.Elem()
		}
		if named, ok := types.Unalias(kind).(*types.Named); ok {
			name = named.Obj().Name() + "." + name
		}
	}
	path, _, _ := strings.Cut(function.Package().Pkg.Path(), "#")
	return path + "." + name
}
