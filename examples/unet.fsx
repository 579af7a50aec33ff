// A U-Net finds two kinds of things in images: Adam, a loss of logits, a gradient scaler, a progress bar, TensorBoard, a checkpoint every epoch. Run it with
//     examples/build && dotnet fsi examples/unet.fsx [--small] [--data FOLDER] [--resume]
#load "training.fsx"

open System.IO
open Training
open Verified.Engine
open Verified.Engine.FSharp
open Verified.Training

takes [ "--small"; "--data FOLDER"; "--resume" ]

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

Rng.ManualSeed 0L |> ignore

let trainSet, validSet =
    data
        "unet"
        (fun folder ->
            printfn $"Images and masks from {folder}."

            let all =
                SegmentationFolder(Path.Combine(folder, "images"), Path.Combine(folder, "masks"))

            let parts = all.RandomSplit([| all.Count - all.Count / 5; all.Count / 5 |])
            parts[0], parts[1])
        (fun () ->
            printfn
                "Generated images with masks. Real ones, such as CVC-ClinicDB (https://polyp.grand-challenge.org/CVCClinicDB): PNG or PNM files"

            printfn
                "of one size, multiples of 4, in FOLDER/images, masks of the same names in FOLDER/masks; then --data FOLDER, or data/unet as the folder."

            let size, count = (if small then 32, 200 else 64, 400)
            Generated.Segmentation(count, size, 1L), Generated.Segmentation(count / 5, size, 2L))

let trainLoader = DataLoader(trainSet, 8, shuffle = true, numWorkers = 2)
let validLoader = DataLoader(validSet, 8)

let model = UNet(3, trainSet[0].Target.Size 0, (if small then 8 else 16))

let optimizer = Adam(model.Parameters(), lr = 3e-3)
let scaler = GradScaler()
let sums = Accumulator 2

let run =
    SavedRun(
        "unet-fsharp",
        [
            "model", model
            "optimizer", optimizer
            "scaler", scaler
            "loader", trainLoader
            "random", Generator.Default
            "sums", sums
        ]
    )

/// An epoch, or the rest of one that was stopped: the sums over its batches are among what is saved.
let trainEpoch stop epoch =
    let criterion = BCEWithLogitsLoss()
    model.Train() |> ignore

    let bar =
        Progress.Bar(trainLoader.Batches stop, $"epoch {epoch}", trainLoader.Count - trainLoader.Position)

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

let writer = new SummaryWriter(Path.Combine("runs", "unet-fsharp", "tensorboard"))

run.Epochs(
    "training",
    (if small then 6 else 10),
    fun stop epoch ->
        let loss = trainEpoch stop epoch
        let dice = evaluate ()
        writer.AddScalar("loss/train", loss, epoch)
        writer.AddScalar("dice/valid", dice, epoch)
        printfn $"epoch {epoch}: train loss {loss:f4}, dice {dice:f3}"
)

writer.Dispose()
let dice = evaluate ()
conclude (dice > 0.8) $"a Dice coefficient over 0.8 on images not trained on: it is {dice:f3}"
