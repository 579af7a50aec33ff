// A U-Net finds two kinds of things in images: Adam, a loss of logits, a gradient scaler, a progress bar, TensorBoard, a checkpoint every epoch. Run it with
//     examples/build && dotnet fsi examples/unet.fsx [--small] [--resume]
#load "training.fsx"

open System
open System.IO
open Training
open Verified.Engine
open Verified.Engine.FSharp
open Verified.Training

/// Twice: a 3 x 3 convolution, batch normalisation, ReLU.
let doubleConv (before: int) (after: int) =
    Sequential(
        Conv2d(before, after, Size2D 3, padding = Size2D 1, bias = false),
        BatchNorm2d after,
        ReLU(),
        Conv2d(after, after, Size2D 3, padding = Size2D 1, bias = false),
        BatchNorm2d after,
        ReLU()
    )

/// Down by pooling, up by transposed convolutions, with what was seen on the way down put beside what comes up.
type UNet(inChannels, outChannels, width) =
    inherit Module()
    let pool = MaxPool2d(Size2D 2)
    let down1 = doubleConv inChannels width
    let down2 = doubleConv width (2 * width)
    let bottom = doubleConv (2 * width) (4 * width)
    let ascent2 = ConvTranspose2d(4 * width, 2 * width, Size2D 2, stride = Size2D 2)
    let up2 = doubleConv (4 * width) (2 * width)
    let ascent1 = ConvTranspose2d(2 * width, width, Size2D 2, stride = Size2D 2)
    let up1 = doubleConv (2 * width) width
    let head = Conv2d(width, outChannels, Size2D 1)

    override _.Forward(x: Tensor) =
        let a = down1.Forward x
        let b = a |> pool.Forward |> down2.Forward
        let c = b |> pool.Forward |> bottom.Forward
        let d = up2.Forward(Tensor.Cat([| b; ascent2.Forward c |], 1))
        let e = up1.Forward(Tensor.Cat([| a; ascent1.Forward d |], 1))
        head.Forward e

printfn "Generated images with masks."
Rng.ManualSeed 0L |> ignore
let size, count = (if small then 32, 200 else 64, 400)

let trainLoader =
    DataLoader(Generated.Segmentation(count, size, 1L), 8, shuffle = true, numWorkers = 2)

let validLoader = DataLoader(Generated.Segmentation(count / 5, size, 2L), 8)
let model = UNet(3, 2, (if small then 8 else 16))
let optimizer = Adam(model.Parameters(), lr = 3e-3)
let scaler = GradScaler()
let sums = Accumulator 2
let file = Path.Combine("runs", "unet-fsharp", "checkpoint.pt")

let parts: (struct (string * IStateful)) array =
    [|
        "model", model :> IStateful
        "optimizer", optimizer
        "scaler", scaler
        "loader", trainLoader
        "random", Generator.Default
        "sums", sums
    |]
    |> Array.map (fun (name, part) -> struct (name, part))

let first =
    if resume then
        let saved = Checkpoint.Restore(file, parts)
        printfn $"Going on from {file}."
        int (saved.Integer "epoch")
    else
        1

let save (epoch: int) =
    let named =
        parts |> Array.map (fun (struct (name, part)) -> struct (name, box part))

    Checkpoint.Save(file, Array.append named [| struct ("epoch", box epoch) |])

/// An epoch, or the rest of one that was stopped: the sums over its batches are among what is saved.
let trainEpoch (stop: StopSignal) (epoch: int) =
    let criterion = BCEWithLogitsLoss()
    model.Train() |> ignore

    let bar =
        Progress.Bar(trainLoader.Batches stop.Token, $"epoch {epoch}", trainLoader.Count - trainLoader.Position)

    for batch in bar do
        optimizer.ZeroGrad()
        let loss = criterion.Forward(model.Forward batch.Input, batch.Target)
        scaler.Scale(loss).Backward()
        scaler.Step optimizer |> ignore
        scaler.Update()
        sums.Add(loss.Item(), 1.0)
        bar.SetPostfix(struct ("loss", box (sums[0] / sums[1])))

    let mean = sums[0] / sums[1]
    sums.Reset()
    mean

/// The Dice coefficient: twice the overlap over the sum of both areas.
let evaluate () =
    noGrad (fun () ->
        let sums = Accumulator 2
        model.Eval() |> ignore

        for batch in validLoader do
            let found = model.Forward(batch.Input).Gt(0.0).To(batch.Target.DType)
            sums.Add((found * batch.Target).Sum().Item(), (found + batch.Target).Sum().Item())

        2.0 * sums[0] / sums[1])

let mutable dice = 0.0

do
    use writer = new SummaryWriter(Path.Combine("runs", "unet-fsharp", "tensorboard"))
    use stop = new StopSignal()
    let mutable epoch = first

    try
        while epoch <= (if small then 6 else 10) do
            let loss = trainEpoch stop epoch
            dice <- evaluate ()
            writer.AddScalar("loss/train", loss, int64 epoch)
            writer.AddScalar("dice/valid", dice, int64 epoch)
            printfn $"epoch {epoch}: train loss {loss:f4}, dice {dice:f3}"
            epoch <- epoch + 1
            save epoch
    with :? OperationCanceledException ->
        save epoch
        printfn $"Stopped in epoch {epoch}; --resume goes on from {file}."
        exit 130

if dice = 0.0 then
    dice <- evaluate ()

conclude (dice > 0.8) $"a Dice coefficient over 0.8 on images not trained on: it is {dice:f3}"
