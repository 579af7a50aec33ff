// dotnet build -c Release src/Engine.CSharp && dotnet fsi examples/first.fsx
#r "../src/Engine.CSharp/bin/Release/net10.0/Verified.Engine.dll"

open Verified.Engine

let x = Tensor.Create([| 0.5f; 1.0f; 2.0f |], requiresGrad = true)

// F#'s own operators and functions work on tensors.
let y = x * x + 3.0 * exp x
y.Sum().Backward()
printfn "%O" x.Grad

/// The gradient of any function of one tensor.
let gradient (f: Tensor -> Tensor) (at: Tensor) =
    let leaf = at.Detach().RequiresGradInPlace()
    Autograd.Grad([| f leaf |], [| leaf |])[0]

printfn "%O" (gradient (fun t -> (tanh t).Sum()) x)
