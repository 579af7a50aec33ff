// What backward, accumulation, detach and in-place writes do, line by line, compared with what the tutorials print. Run it with
//     examples/build && dotnet fsi examples/autograd-basics.fsx
#load "training.fsx"

open Training
open Verified.Engine
open Verified.Engine.FSharp

takes []

let mutable lines = 0
let mutable surprises = 0

let compare (same: bool) (expected: string) =
    lines <- lines + 1

    if not same then
        surprises <- surprises + 1
        printfn $"  (the tutorial has: {expected})"

/// Prints a value, and counts it where it is not as the tutorial has it.
let show name (value: obj) expected =
    let text = if isNull value then "None" else string value
    printfn $"{name}: {text}"
    compare (text = expected) expected

/// The same for a step that must be an error.
let showError name (step: unit -> unit) (expected: string) =
    try
        step ()
        printfn $"{name}: no error"
        compare false expected
    with :? AutogradException as e ->
        printfn $"{name}: {e.Message}"
        compare (e.Message.StartsWith expected) expected

let leaf (values: float32 list) =
    Tensor.Create(Array.ofList values, requiresGrad = true)

printfn "\n# A first gradient"
let ones = Tensor.Ones([| 2; 2 |], requiresGrad = true)
let plus = ones + 2.0
let z = plus * plus * 3.0
let mean = z.Mean()
show "z" z "tensor([[27., 27.],\n        [27., 27.]], grad_fn=<MulBackward0>)"
show "mean" mean "tensor(27., grad_fn=<MeanBackward0>)"
mean.Backward()
show "x.grad" ones.Grad "tensor([[4.5000, 4.5000],\n        [4.5000, 4.5000]])"

printfn "\n# Gradients accumulate until they are zeroed"
let x = Tensor.Ones([| 2; 2 |], requiresGrad = true)
x.Sum().Backward()
x.Sum().Backward()
show "x.grad after two backwards" x.Grad "tensor([[2., 2.],\n        [2., 2.]])"
x.Grad.ZeroInPlace() |> ignore
x.Sum().Backward()
show "x.grad, zeroed between" x.Grad "tensor([[1., 1.],\n        [1., 1.]])"

printfn "\n# detach: the same memory without a history"
let a = leaf [ 1.0f; 2.0f; 3.0f ]
show "a.grad before" a.Grad "None"
let squares = a * a
let c = squares.Detach()
show "c" c "tensor([1., 4., 9.])"
show "c.requires_grad" c.RequiresGrad "False"
show "c shares memory" (c.SharesMemoryWith squares) "True"
squares.Sum().Backward()
show "a.grad" a.Grad "tensor([2., 4., 6.])"
showError "c.sum().backward()" (fun () -> c.Sum().Backward()) "element 0 of tensors does not require grad and does not have a grad_fn"

printfn "\n# A write to the detached tensor is a write to the original"
let b = leaf [ 1.0f; 2.0f; 3.0f ]
let first = b.Sigmoid()
show "y" first "tensor([0.7311, 0.8808, 0.9526], grad_fn=<SigmoidBackward0>)"
first.Sum().Backward()
show "a.grad" b.Grad "tensor([0.1966, 0.1050, 0.0452])"
let second = b.Sigmoid()
let detached = second.Detach()
detached.ZeroInPlace() |> ignore
show "c" detached "tensor([0., 0., 0.])"
show "y" second "tensor([0., 0., 0.], grad_fn=<SigmoidBackward0>)"

showError
    "y.sum().backward()"
    (fun () -> second.Sum().Backward())
    "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [3]], which is output 0 of SigmoidBackward0, is at version 1; expected version 0 instead."

printfn "\n# detach_ in the middle: the backward pass stops there"
let start = leaf [ 1.0f; 2.0f; 3.0f ]
let m = start * start
m.DetachInPlace() |> ignore
show "m.is_leaf" m.IsLeaf "True"
show "m.requires_grad" m.RequiresGrad "False"
show "m" m "tensor([1., 4., 9.])"
m.RequiresGrad <- true
(m * 2.0).Sum().Backward()
show "m.grad" m.Grad "tensor([2., 2., 2.])"
show "x.grad" start.Grad "None"

printfn "\n# Two models in a row: detach trains the second alone"
let wa, wb = leaf [ 2.0f ], leaf [ 3.0f ]
let outputA = wa * Tensor.Create [| 1.0f |]
let outputB = wb * outputA.Detach()
outputB.Sum().Backward()
show "a.grad" wa.Grad "None"
show "b.grad" wb.Grad "tensor([2.])"

conclude (surprises = 0) $"every line is what PyTorch prints: {lines - surprises} of {lines} are"
