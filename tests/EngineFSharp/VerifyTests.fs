module Verified.Engine.FSharp.VerifyTests

open Verified
open Verified.Engine
open Verified.Engine.FSharp
open Xunit

[<Fact>]
let ``a model written in F# is checked in one call`` () =
    let weight = Tensor.matrix [ [ 0.5; -0.25 ]; [ 1.0; 2.0 ] ] |> Tensor.requiresGrad

    let model x =
        x
        |> Tensor.mm (Tensor.t weight)
        |> fun h -> tanh h ** 2.0 + 2.0 / exp h
        |> fun y -> y[1.., 0]

    let report = Verify.Model(model, Tensor.matrix [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ])
    Assert.True(report.Holds, report.ToString())

[<Fact>]
let ``derivatives inside a model are checked too`` () =
    let model x =
        x * grad (fun y -> Tensor.sum (y * y * y)) x

    let report = Verify.Model(model, Tensor.vector [ 1.0; 2.0 ])
    Assert.True(report.Holds, report.ToString())

[<Fact>]
let ``a wrong custom function is found`` () =
    let wrong =
        Function.Create(
            "Square",
            (fun context x ->
                context.SaveForBackward x
                x * x),
            (fun context g -> g * context.Saved 0)
        )

    let report =
        Verify.Model((fun (x: Tensor) -> wrong.Apply(Tensor.exp x)), Tensor.vector [ 1.0; 2.0 ])

    Assert.False report.Holds
    Assert.StartsWith("The model is wrong: the backward of the custom function Square(exp_1) is wrong", report.ToString())

[<Fact>]
let ``a loss over weights that a closure holds is checked`` () =
    let weight = Tensor.matrix [ [ 0.5; -0.25 ]; [ 1.0; 2.0 ] ] |> Tensor.requiresGrad
    let x = Tensor.matrix [ [ 1.0; 2.0 ] ]

    let report =
        Verify.Step(fun () -> x |> Tensor.mm weight |> Tensor.tanh |> Tensor.sum)

    Assert.True(report.Holds, report.ToString())
    Assert.Contains("p1.grad", report.Program.Observe |> Seq.map _.Text)
