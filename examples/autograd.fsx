// A tour of automatic differentiation, in the order of the tutorials. Run it with
//     dotnet build -c Release src/Engine.FSharp && dotnet fsi examples/autograd.fsx
#load "../src/Engine.FSharp/fsi.fsx"

open Verified.Engine
open Verified.Engine.FSharp

let title text = printfn "\n# %s" text

title "1. A function of a tensor, and its gradient"
let x = Tensor.ones [ 2; 2 ] |> Tensor.requiresGrad
let y = x + 2.0
let z = y * y * 3.0
let out = Tensor.mean z
printfn "%A" z
printfn "%A" out
Tensor.backward out
printfn "%A" x.Grad

title "2. Gradients accumulate until they are zeroed"
Tensor.backward (Tensor.sum x)
printfn "%A" x.Grad
x.ZeroGrad(setToNone = false)
Tensor.backward (Tensor.sum x)
printfn "%A" x.Grad

title "3. detach: the same memory without the history"
let a = Tensor.vector [ 1.0; 2.0; 3.0 ] |> Tensor.requiresGrad
printfn "%A" (Tensor.grad a)
let squares = a * a
let c = Tensor.detach squares
printfn "%A" squares
printfn "%A" c
Tensor.backward (Tensor.sum squares)
printfn "%A" a.Grad

try
    Tensor.backward (Tensor.sum c)
with :? AutogradException as e ->
    printfn "%s" e.Message

title "4. A write to what backward needs is an error"
let b = Tensor.vector [ 1.0; 2.0; 3.0 ] |> Tensor.requiresGrad
let s = Tensor.sigmoid b
printfn "%A" (grad (Tensor.sigmoid >> Tensor.sum) (Tensor.detach b))
Tensor.detach(s).ZeroInPlace() |> ignore
printfn "%A" s

try
    Tensor.backward (Tensor.sum s)
with :? AutogradException as e ->
    printfn "%s" (e.Message.Substring(0, 96))

title "5. detach_ makes a leaf of a tensor in the middle"
let m = a * 2.0
let stopped = m.DetachInPlace() * 3.0
printfn "leaf: %b, requires a gradient: %b; what follows requires one: %b" m.IsLeaf m.RequiresGrad stopped.RequiresGrad

title "6. Two models in a row: the second is trained, the first left alone"
let first = Tensor.vector [ 2.0 ] |> Tensor.requiresGrad
let second = Tensor.vector [ 3.0 ] |> Tensor.requiresGrad
let between = (first * 5.0).Detach()
Tensor.backward (Tensor.sum (second * between))
printfn "first %A, second %A" (Tensor.grad first) (Tensor.grad second)

title "Derivatives of functions"
let f (t: Tensor) = Tensor.sum (t ** 3.0)
let at = Tensor.vector [ 1.0; 2.0 ]
printfn "%A" (grad f at)
printfn "%A" (hessian f at)
printfn "%A" (grad (fun (w, b) -> Tensor.sum ((at * w + b) ** 2.0)) (Tensor.scalar 1.0, Tensor.scalar 0.5))
