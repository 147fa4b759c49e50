package main

import (
	"go/constant"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// index says for all functions of a program at once who calls what, and what is stored where. It takes all instances
// of a type and all calls of a function together.
type index struct {
	functions    map[*ssa.Function]bool
	staticCalls  map[*ssa.Function][]ssa.CallInstruction
	invokes      map[string][]ssa.CallInstruction
	dynamicCalls []ssa.CallInstruction
	usedAsValue  map[*ssa.Function]bool
	closures     map[*ssa.Function][]*ssa.MakeClosure
	fieldStores  map[*types.Var][]*ssa.Store
	globalStores map[*ssa.Global][]*ssa.Store
	// Strings whose address goes elsewhere, for example to a flag set.
	escapedFields  map[*types.Var]bool
	escapedGlobals map[*ssa.Global]bool
}

func newIndex(functions map[*ssa.Function]bool) *index {
	x := &index{
		functions:      functions,
		staticCalls:    map[*ssa.Function][]ssa.CallInstruction{},
		invokes:        map[string][]ssa.CallInstruction{},
		usedAsValue:    map[*ssa.Function]bool{},
		closures:       map[*ssa.Function][]*ssa.MakeClosure{},
		fieldStores:    map[*types.Var][]*ssa.Store{},
		globalStores:   map[*ssa.Global][]*ssa.Store{},
		escapedFields:  map[*types.Var]bool{},
		escapedGlobals: map[*ssa.Global]bool{},
	}
	for function := range functions {
		for block := range liveBlocks(function) {
			for _, instruction := range block.Instrs {
				x.add(instruction)
			}
		}
	}
	return x
}

func (x *index) add(instruction ssa.Instruction) {
	switch instruction := instruction.(type) {
	case ssa.CallInstruction:
		x.addCall(instruction)
	case *ssa.Store:
		switch address := instruction.Addr.(type) {
		case *ssa.FieldAddr:
			field := fieldOf(address.X.Type(), address.Field)
			x.fieldStores[field] = append(x.fieldStores[field], instruction)
		case *ssa.Global:
			x.globalStores[address] = append(x.globalStores[address], instruction)
		}
	case *ssa.MakeClosure:
		function := instruction.Fn.(*ssa.Function)
		x.closures[function] = append(x.closures[function], instruction)
	}
	_, isCall := instruction.(ssa.CallInstruction)
	for i, operand := range instruction.Operands(nil) {
		switch value := (*operand).(type) {
		case *ssa.Function:
			if !isCall || i > 0 {
				x.usedAsValue[value] = true
			}
		case *ssa.Global:
			if escapes(instruction, value) {
				x.escapedGlobals[value] = true
			}
		case *ssa.FieldAddr:
			if escapes(instruction, value) {
				x.escapedFields[fieldOf(value.X.Type(), value.Field)] = true
			}
		}
	}
}

func (x *index) addCall(call ssa.CallInstruction) {
	common := call.Common()
	callee := common.StaticCallee()
	_, isBuiltin := common.Value.(*ssa.Builtin)
	switch {
	case callee != nil:
		x.staticCalls[callee] = append(x.staticCalls[callee], call)
	case common.IsInvoke():
		x.invokes[common.Method.Name()] = append(x.invokes[common.Method.Name()], call)
	case !isBuiltin:
		x.dynamicCalls = append(x.dynamicCalls, call)
	}
}

// escapes tells whether an instruction lets something else write to the address of a string.
func escapes(instruction ssa.Instruction, address ssa.Value) bool {
	pointer, ok := address.Type().Underlying().(*types.Pointer)
	if !ok {
		return false
	}
	if basic, ok := pointer.Elem().Underlying().(*types.Basic); !ok || basic.Info()&types.IsString == 0 {
		return false
	}
	switch instruction := instruction.(type) {
	case *ssa.Store:
		return instruction.Addr != address
	case *ssa.UnOp, *ssa.BinOp, *ssa.DebugRef:
		return false
	}
	return true
}

// callers gives the calls that can end in a function: direct ones, those through interfaces, and those of function
// values with its signature.
func (x *index) callers(function *ssa.Function) []ssa.CallInstruction {
	calls := append([]ssa.CallInstruction(nil), x.staticCalls[function]...)
	if receiver := function.Signature.Recv(); receiver != nil {
		for _, call := range x.invokes[function.Name()] {
			if implements(receiver.Type(), call.Common()) {
				calls = append(calls, call)
			}
		}
	} else if x.usedAsValue[function] {
		for _, call := range x.dynamicCalls {
			if types.Identical(call.Common().Signature(), function.Signature) {
				calls = append(calls, call)
			}
		}
	}
	return calls
}

// callees gives the functions that a call can end in.
func (x *index) callees(call *ssa.CallCommon) []*ssa.Function {
	if callee := call.StaticCallee(); callee != nil {
		return []*ssa.Function{callee}
	}
	var callees []*ssa.Function
	for function := range x.functions {
		receiver := function.Signature.Recv()
		if call.IsInvoke() {
			if receiver != nil && function.Name() == call.Method.Name() && implements(receiver.Type(), call) {
				callees = append(callees, function)
			}
		} else if receiver == nil && x.usedAsValue[function] && types.Identical(function.Signature, call.Signature()) {
			callees = append(callees, function)
		}
	}
	return callees
}

func implements(receiver types.Type, call *ssa.CallCommon) bool {
	return types.Implements(receiver, call.Value.Type().Underlying().(*types.Interface))
}

// argumentAt is what a call gives for a parameter of its callee, the receiver being the first one.
func argumentAt(call ssa.CallInstruction, position int) ssa.Value {
	common := call.Common()
	if !common.IsInvoke() {
		return common.Args[position]
	}
	if position == 0 {
		return common.Value
	}
	return common.Args[position-1]
}

func structOf(kind types.Type) *types.Struct {
	if pointer, ok := kind.Underlying().(*types.Pointer); ok {
		kind = pointer.Elem()
	}
	return kind.Underlying().(*types.Struct)
}

func fieldOf(kind types.Type, position int) *types.Var {
	return structOf(kind).Field(position).Origin()
}

// liveBlocks leaves out what a constant condition excludes, such as runtime.GOOS == "windows".
func liveBlocks(function *ssa.Function) map[*ssa.BasicBlock]bool {
	live := map[*ssa.BasicBlock]bool{}
	var visit func(*ssa.BasicBlock)
	visit = func(block *ssa.BasicBlock) {
		if live[block] {
			return
		}
		live[block] = true
		next := block.Succs
		if branch, ok := block.Instrs[len(block.Instrs)-1].(*ssa.If); ok {
			if condition, ok := branch.Cond.(*ssa.Const); ok {
				if constant.BoolVal(condition.Value) {
					next = next[:1]
				} else {
					next = next[1:]
				}
			}
		}
		for _, successor := range next {
			visit(successor)
		}
	}
	if len(function.Blocks) > 0 {
		visit(function.Blocks[0])
	}
	return live
}
