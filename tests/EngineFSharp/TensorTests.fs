module Verified.Engine.FSharp.TensorTests

open Verified.Engine
open Verified.Engine.FSharp
open Xunit

[<Fact>]
let ``detach cuts the history and shares the memory`` () =
    let x = Tensor.Create([| 1.0f; 2.0f |], requiresGrad = true)
    let y = x * x
    let c = Tensor.detach y
    Assert.False c.RequiresGrad
    c.ZeroInPlace() |> ignore
    Assert.Equal(0.0, y.Sum().Item())
