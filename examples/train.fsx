// examples/build && dotnet fsi examples/train.fsx
#load "training.fsx"

open Verified.Training

Rng.ManualSeed 0L |> ignore

let struct (features, labels) =
    Generated.LinearData([| 2.0; -3.4 |], 4.2, count = 1000)

let data =
    DataLoader(TensorDataset(features, labels), batchSize = 10, shuffle = true)

let model = Linear(2, 1)
let loss = MSELoss()
let optimizer = SGD(model.Parameters(), lr = 0.03)

for epoch in 1..3 do
    for batch in data do
        optimizer.ZeroGrad()
        loss.Forward(model.Forward batch.Input, batch.Target).Backward()
        optimizer.Step()

printfn $"weight {model.Weight.Detach()}, bias {model.Bias.Detach()}"
