package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/callgraph/rta"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// load gives the functions that the main package of path can reach. Rapid type analysis takes every exported method
// of a type that reflection may see as reachable, so it errs on the side of too many.
func load(path, tags string) (map[*ssa.Function]bool, error) {
	config := &packages.Config{
		Mode:       packages.LoadAllSyntax,
		BuildFlags: []string{"-mod=mod", "-tags=" + tags},
		// Comments are a good part of what would be kept in memory.
		ParseFile: func(set *token.FileSet, name string, source []byte) (*ast.File, error) {
			return parser.ParseFile(set, name, source, parser.SkipObjectResolution)
		},
	}
	initial, err := packages.Load(config, path)
	if err != nil {
		return nil, err
	}
	if broken := faults(initial); len(broken) > 0 {
		return nil, fmt.Errorf("loading %s:\n%s", path, strings.Join(broken, "\n"))
	}
	program, mains := ssautil.AllPackages(initial, ssa.InstantiateGenerics)
	program.Build()
	if len(mains) != 1 || mains[0].Func("main") == nil {
		return nil, fmt.Errorf("%s is not one main package", path)
	}
	roots := []*ssa.Function{mains[0].Func("init"), mains[0].Func("main")}
	return called(roots, rta.Analyze(roots, false).Reachable), nil
}

// called drops from what rapid type analysis finds the methods that only reflection could call: it counts every
// exported method of a value that was once in an interface.
func called(roots []*ssa.Function, candidates map[*ssa.Function]struct{ AddrTaken bool }) map[*ssa.Function]bool {
	methods := map[string][]*ssa.Function{}
	for function := range candidates {
		if function.Signature.Recv() != nil {
			methods[function.Name()] = append(methods[function.Name()], function)
		}
	}
	found := map[*ssa.Function]bool{}
	var work []*ssa.Function
	seen := map[*types.Func]bool{}
	visit := func(function *ssa.Function) {
		if !found[function] {
			found[function] = true
			work = append(work, function)
		}
	}
	for _, root := range roots {
		visit(root)
	}
	for len(work) > 0 {
		function := work[len(work)-1]
		work = work[:len(work)-1]
		for block := range liveBlocks(function) {
			for _, instruction := range block.Instrs {
				for _, operand := range instruction.Operands(nil) {
					if callee, ok := (*operand).(*ssa.Function); ok {
						visit(callee)
					}
				}
				call, ok := instruction.(ssa.CallInstruction)
				if !ok || !call.Common().IsInvoke() || seen[call.Common().Method] {
					continue
				}
				method := call.Common().Method
				seen[method] = true
				face := method.Signature().Recv().Type().Underlying().(*types.Interface)
				for _, candidate := range methods[method.Name()] {
					if types.Implements(candidate.Signature.Recv().Type(), face) {
						visit(candidate)
					}
				}
			}
		}
	}
	return found
}

func faults(initial []*packages.Package) []string {
	var all []string
	packages.Visit(initial, nil, func(p *packages.Package) {
		for _, fault := range p.Errors {
			all = append(all, fault.Error())
		}
	})
	return all
}
