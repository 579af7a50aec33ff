// Linear regression from scratch: a model, a loss and an optimizer written by hand, on data whose truth is known. Run it with
//     examples/build && dotnet fsi examples/linear-regression.fsx
#load "training.fsx"

open Training
open Verified.Engine
open Verified.Engine.FSharp
open Verified.Training

takes []

let trueW = Tensor.matrix [ [ 2.0 ]; [ -3.4 ] ]
let trueB = 4.2

Rng.ManualSeed 0L |> ignore

// y = Xw + b + noise.
let features = Rng.Randn [| 1000; 2 |]
let labels = features.Matmul trueW + trueB + Rng.Normal(0.0, 0.01, [| 1000; 1 |])

let w = Rng.Normal(0.0, 0.01, [| 2; 1 |]) |> Tensor.requiresGrad
let b = Tensor.zeros [ 1 ] |> Tensor.requiresGrad

let linreg (x: Tensor) = x.Matmul w + b
let squaredLoss (prediction: Tensor) (y: Tensor) = (prediction - y).Square() / 2.0

/// One step of minibatch stochastic gradient descent.
let sgd (parameters: Tensor list) learningRate batchSize =
    noGrad (fun () ->
        for p in parameters do
            p.SubInPlace(p.Grad, alpha = learningRate / float batchSize) |> ignore
            p.Grad.ZeroInPlace() |> ignore)

for epoch in 1..3 do
    for batch in Minibatches.DataIter(10, features, labels) do
        let loss = squaredLoss (linreg batch.Input) batch.Target
        loss.Sum().Backward()
        sgd [ w; b ] 0.03 batch.Count

    let loss = noGrad (fun () -> (squaredLoss (linreg features) labels).Mean().Item())
    printfn $"epoch {epoch}, loss {loss:f6}"

let error = max ((w.Detach() - trueW).Abs().Max().Item()) (abs (b.Item() - trueB))
conclude (error < 0.01) $"w and b within 0.01 of the truth: the largest error is {error:f4}"
