// dotnet build -c Release src/Engine.CSharp && dotnet fsi examples/first.fsx
#r "../src/Engine.CSharp/bin/Release/net10.0/Verified.Engine.dll"

open Verified.Engine

let x = Tensor.Create([| 0.5f; 1.0f; 2.0f |], requiresGrad = true)

// F#'s own operators and functions work on tensors.
let y = x * x + 3.0 * exp x
y.Sum().Backward()
printfn "%O" x.Grad

// The derivative of any function of one tensor.
printfn "%O" (Functional.Grad((fun t -> (tanh t).Sum()), x))
