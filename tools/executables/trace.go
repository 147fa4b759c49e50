package main

import (
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// unknown stands for a string, or a part of it, that is known only at run time.
const unknown = "*"

type names map[string]bool

// A query is for a string, or for one or all elements of a list of strings.
type query struct {
	value   ssa.Value
	element int
	// stored asks for what is stored at an address.
	stored bool
}

const (
	noElement  = -2
	anyElement = -1
)

// resolve follows a string back to where it is written: through variables, fields, parameters and results.
func (x *index) resolve(value ssa.Value) names {
	return (&trace{index: x, open: map[ssa.Value]bool{}}).part(value, noElement)
}

// trace is one walk back.
type trace struct {
	*index
	seen  map[query]bool
	found names
	// open are the values whose parts are being followed, here or in a trace that this one is part of.
	open map[ssa.Value]bool
}

// part follows a value apart from what is found so far.
func (t *trace) part(value ssa.Value, element int) names {
	part := &trace{index: t.index, seen: map[query]bool{}, found: names{}, open: t.open}
	part.value(value, element)
	return part.found
}

// add records a name; one of which nothing is known counts as unknown.
func (t *trace) add(name string) {
	if strings.Trim(name, unknown+"/") == "" {
		name = unknown
	}
	t.found[name] = true
}

func (t *trace) isNew(asked query) bool {
	if t.seen[asked] {
		return false
	}
	t.seen[asked] = true
	return true
}

func (t *trace) value(value ssa.Value, element int) {
	if !t.isNew(query{value, element, false}) {
		return
	}
	switch value := value.(type) {
	case *ssa.Const:
		// The empty string goes with an error, or is a default that something else replaces.
		if value.Value != nil && value.Value.Kind() == constant.String && constant.StringVal(value.Value) != "" {
			t.add(constant.StringVal(value.Value))
		}
	case *ssa.Parameter:
		t.parameter(value, element)
	case *ssa.FreeVar:
		t.bindings(value, func(bound ssa.Value) { t.value(bound, element) })
	case *ssa.Phi:
		live := liveBlocks(value.Parent())
		for i, edge := range value.Edges {
			if live[value.Block().Preds[i]] {
				t.value(edge, element)
			}
		}
	case *ssa.ChangeType:
		t.value(value.X, element)
	case *ssa.Convert:
		t.value(value.X, element)
	case *ssa.BinOp:
		t.concatenation(value)
	case *ssa.Extract:
		if call, ok := value.Tuple.(*ssa.Call); ok {
			t.result(call, value.Index, element)
		} else {
			t.add(unknown)
		}
	case *ssa.Call:
		t.result(value, 0, element)
	case *ssa.Field:
		t.field(value.X.Type(), value.Field, element)
	case *ssa.UnOp:
		if value.Op == token.MUL {
			t.load(value.X, element)
		} else {
			t.add(unknown)
		}
	case *ssa.Slice:
		t.slice(value, element)
	case *ssa.Alloc:
		t.stores(value, element)
	default:
		t.add(unknown)
	}
}

// concatenation joins two strings; a side that is not one certain string is unknown, as is a string that grows in a loop.
func (t *trace) concatenation(sum *ssa.BinOp) {
	if t.open[sum] {
		t.add(unknown)
		return
	}
	t.open[sum] = true
	defer delete(t.open, sum)
	side := func(value ssa.Value) string {
		found := t.part(value, noElement)
		for name := range found {
			if len(found) == 1 {
				return name
			}
		}
		return unknown
	}
	t.add(side(sum.X) + side(sum.Y))
}

func (t *trace) parameter(parameter *ssa.Parameter, element int) {
	function := parameter.Parent()
	position := 0
	for function.Params[position] != parameter {
		position++
	}
	calls := t.callers(function)
	if len(calls) == 0 {
		t.add(unknown)
	}
	for _, call := range calls {
		t.value(argumentAt(call, position), element)
	}
}

// bindings gives what a function literal finds in a variable of the function around it.
func (t *trace) bindings(variable *ssa.FreeVar, follow func(ssa.Value)) {
	function := variable.Parent()
	for _, closure := range t.closures[function] {
		for i, candidate := range function.FreeVars {
			if candidate == variable {
				follow(closure.Bindings[i])
			}
		}
	}
}

func (t *trace) slice(slice *ssa.Slice, element int) {
	if element == noElement {
		t.add(unknown) // a part of a string
		return
	}
	if low, ok := slice.Low.(*ssa.Const); ok && element != anyElement {
		element += int(low.Int64())
	} else if slice.Low != nil {
		element = anyElement
	}
	if _, ok := slice.X.Type().Underlying().(*types.Pointer); ok {
		t.load(slice.X, element)
	} else {
		t.value(slice.X, element)
	}
}

// load follows what is stored at an address.
func (t *trace) load(address ssa.Value, element int) {
	switch address := address.(type) {
	case *ssa.Alloc:
		t.stores(address, element)
	case *ssa.FreeVar:
		t.bindings(address, func(bound ssa.Value) { t.load(bound, element) })
	case *ssa.Global:
		if t.escapedGlobals[address] {
			t.add(unknown)
		}
		for _, store := range t.globalStores[address] {
			t.value(store.Val, element)
		}
	case *ssa.FieldAddr:
		t.field(address.X.Type(), address.Field, element)
	case *ssa.IndexAddr:
		position, ok := address.Index.(*ssa.Const)
		switch {
		case element != noElement: // a list of lists
			t.add(unknown)
		case ok:
			t.value(address.X, int(position.Int64()))
		default:
			t.value(address.X, anyElement)
		}
	default:
		t.add(unknown)
	}
}

// stores follows what is written to a local variable, here and in function literals that share it.
func (t *trace) stores(address ssa.Value, element int) {
	if !t.isNew(query{address, element, true}) {
		return
	}
	for _, user := range *address.Referrers() {
		switch user := user.(type) {
		case *ssa.Store:
			if user.Addr == address {
				t.value(user.Val, element)
			} else {
				t.add(unknown)
			}
		case *ssa.IndexAddr:
			position, ok := user.Index.(*ssa.Const)
			if element == anyElement || !ok || int(position.Int64()) == element {
				t.stores(user, noElement)
			}
		case *ssa.MakeClosure:
			for i, bound := range user.Bindings {
				if bound == address {
					t.stores(user.Fn.(*ssa.Function).FreeVars[i], element)
				}
			}
		case *ssa.UnOp, *ssa.Slice, *ssa.DebugRef:
		default:
			t.add(unknown)
		}
	}
}

func (t *trace) field(kind types.Type, position, element int) {
	field := fieldOf(kind, position)
	if isCommandPath(field) {
		t.add(unknown) // what made the command is a call site of its own
		return
	}
	stores := t.fieldStores[field]
	// A field with a tag is filled by a decoder, one that nothing stores to by a conversion or reflection.
	if len(stores) == 0 || structOf(kind).Tag(position) != "" || t.escapedFields[field] {
		t.add(unknown)
	}
	for _, store := range stores {
		t.value(store.Val, element)
	}
}

var verb = regexp.MustCompile(`%[-+# 0]*[0-9]*[a-zA-Z]`)

// result follows what a call returns.
func (t *trace) result(call *ssa.Call, position, element int) {
	common := call.Common()
	if builtin, ok := common.Value.(*ssa.Builtin); ok {
		if builtin.Name() != "append" {
			t.add(unknown)
			return
		}
		for _, list := range common.Args {
			t.value(list, anyElement)
		}
		return
	}
	callees := t.callees(common)
	if len(callees) == 0 {
		t.add(unknown)
	}
	for _, callee := range callees {
		switch name := callee.String(); {
		case name == "os/exec.LookPath", strings.HasSuffix(name, "k8s.io/utils/exec.executor).LookPath"):
			t.value(common.Args[len(common.Args)-1], noElement)
		case name == "fmt.Sprintf":
			for format := range t.part(common.Args[0], noElement) {
				t.add(verb.ReplaceAllString(format, unknown))
			}
		case name == "path.Join", name == "path/filepath.Join":
			t.join(common.Args[0])
		case isStandard(callee), len(callee.Blocks) == 0:
			t.add(unknown)
		default:
			for block := range liveBlocks(callee) {
				if end, ok := block.Instrs[len(block.Instrs)-1].(*ssa.Return); ok {
					t.value(end.Results[position], element)
				}
			}
		}
	}
}

// join keeps the last part of a path: which program it is, wherever it lies.
func (t *trace) join(parts ssa.Value) {
	slice, ok := parts.(*ssa.Slice)
	if !ok {
		t.add(unknown)
		return
	}
	array := slice.X.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Array)
	for name := range t.part(parts, int(array.Len())-1) {
		t.add(unknown + "/" + name)
	}
}

func isStandard(function *ssa.Function) bool {
	if function.Package() == nil {
		return false
	}
	first, _, _ := strings.Cut(function.Package().Pkg.Path(), "/")
	return !strings.Contains(first, ".")
}
