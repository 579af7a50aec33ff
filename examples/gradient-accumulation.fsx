// The training loop, read slowly: zero the gradients, forward, loss, backward, step. Since gradients accumulate, zeroing them only after every second half
// of a batch trains as whole batches do, in half the memory. Run it with
//     examples/build && dotnet fsi examples/gradient-accumulation.fsx
#load "training.fsx"

open Training
open Verified.Engine
open Verified.Engine.FSharp
open Verified.Training

takes []

let batchSize = 16

/// Three clouds of points in eight dimensions.
let blobs count =
    let labels = Rng.Randint(0L, 3L, [| count |])
    let centres = Rng.Randn [| 3; 8 |]
    TensorDataset(centres.IndexSelect(0, labels) + Rng.Randn [| count; 8 |] * 0.7, labels)

let train epochs (halves: int) =
    Rng.ManualSeed 0L |> ignore
    let loader = DataLoader(blobs 320, batchSize, shuffle = true)
    let model = Sequential(Linear(8, 16), Tanh(), Linear(16, 3))
    let criterion = CrossEntropyLoss()
    let optimizer = SGD(model.Parameters(), lr = 0.01, momentum = 0.9)

    for epoch in 1..epochs do
        let mutable runningLoss = 0.0

        for batch in loader do
            optimizer.ZeroGrad()

            for x, y in Array.zip (batch.Input.Split(batchSize / halves)) (batch.Target.Split(batchSize / halves)) do
                // The mean over a half is twice as much per record as the mean over the whole, so it is scaled.
                let loss = criterion.Forward(model.Forward x, y) / float halves
                loss.Backward()
                runningLoss <- runningLoss + loss.Item()

            optimizer.Step()

        if epoch = 1 || epoch = epochs then
            printfn $"  epoch {epoch}, loss {runningLoss / float loader.Count:f4}"

    model

let epochs = if small then 3 else 30
printfn "Whole batches:"
let whole = train epochs 1
printfn "Two halves of each batch, gradients accumulated:"
let halved = train epochs 2

let difference =
    Seq.zip (whole.Parameters()) (halved.Parameters())
    |> Seq.map (fun (a, b) -> (a.Detach() - b.Detach()).Abs().Max().Item())
    |> Seq.max

conclude (difference < 1e-5) $"the same parameters either way, but for rounding (1e-5): the largest difference is {difference:e1}"
