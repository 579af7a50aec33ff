module Verified.Engine.FSharp.Tests.AutogradTests

open Verified.Engine
open Xunit

/// A custom function as a class.
type Cube() =
    inherit Function()

    override _.Forward(context, inputs) =
        let x = nonNull inputs[0]
        context.SaveForBackward x
        [| x * x * x |]

    override _.Backward(context, gradients) =
        let x = context.Saved 0
        [| nonNull gradients[0] * 3.0 * x * x |]

/// A record that can be differentiated by.
type Line =
    { Slope: Tensor
      Offset: Tensor }

    interface ITensorTree<Line> with
        member line.Map f =
            { Slope = f.Invoke line.Slope
              Offset = f.Invoke line.Offset }

let point = Tensor.Create([| 1.0; 2.0 |])

[<Fact>]
let ``A custom function is a class or two lambdas`` () =
    let square =
        Function.Create(
            "Square",
            (fun context x ->
                context.SaveForBackward x
                x * x),
            (fun context g -> g * 2.0 * context.Saved 0)
        )

    for f, expected in [ Cube() :> Function, [| 3.0; 12.0 |]; square, [| 2.0; 4.0 |] ] do
        let x = point.Detach().RequiresGradInPlace()
        f.Apply(x).Sum().Backward()
        Assert.Equal<float[]>(expected, (nonNull x.Grad).ToDoubles())
        let report = GradCheck.Check((fun x -> f.Apply x), point, GradCheckOptions(Order = 2))
        Assert.True(report.Passed, string report)

[<Fact>]
let ``A record is differentiated by its tensors`` () =
    let line =
        { Slope = Tensor.Create([| 2.0; 3.0 |])
          Offset = Tensor.Scalar(1.0, DType.Float64) }

    let gradient = TensorTree.Of<Line>().Grad((fun p -> (p.Slope * p.Slope + p.Offset).Sum()), line)
    Assert.Equal<float[]>([| 4.0; 6.0 |], gradient.Slope.ToDoubles())
    Assert.Equal(2.0, gradient.Offset.Item())

[<Fact>]
let ``A lambda of one tensor needs no annotation, and derivatives nest`` () =
    let one = Tensor.Scalar(1.0, DType.Float64)
    let outer = Functional.Grad((fun x -> x * Functional.Grad((fun y -> x.Square() * y), one)), one)
    Assert.Equal(3.0, outer.Item())

[<Fact>]
let ``A scope ends with its block`` () =
    let off () =
        use _ = Autograd.NoGrad()
        Autograd.IsGradEnabled

    Assert.False(off ())
    Assert.True Autograd.IsGradEnabled

/// The message of the error that pulling back raises.
let private messageOf (y: Tensor) =
    Assert.Throws<AutogradException>(System.Action(fun () -> y.Sum().Backward())).Message

let private hooked () =
    point.Detach().RequiresGradInPlace() * Tensor.Scalar(2.0, DType.Float64)

let private narrowed (g: Tensor) = g.To DType.Float32

let private withLambda () =
    let y = hooked ()
    y.RegisterHook(fun g -> g.To DType.Float32) |> ignore
    messageOf y

let private withClosure (dtype: DType) =
    let y = hooked ()
    y.RegisterHook(fun g -> g.To dtype) |> ignore
    messageOf y

let private withFunction () =
    let y = hooked ()
    y.RegisterHook narrowed |> ignore
    messageOf y

[<Fact>]
let ``A hook is named by what it stands in`` () =
    Assert.StartsWith("hook 'lambda in withLambda' has changed the type", withLambda ())
    Assert.StartsWith("hook 'lambda in withClosure' has changed the type", withClosure DType.Float32)
    Assert.StartsWith("hook 'lambda in withFunction' has changed the type", withFunction ())

/// A square root whose derivative is infinite at zero.
[<System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)>]
let private somebodysRoot (x: Tensor) : Tensor = sqrt x

[<Fact>]
let ``The trace of a forward call begins with the user's line`` () =
    let x = Tensor.Create([| 0.0 |], requiresGrad = true)

    let error =
        Assert.Throws<AutogradException>(
            System.Action(fun () ->
                use _ = Autograd.DetectAnomaly()
                (somebodysRoot x * 0.0).Sum().Backward())
        )

    Assert.Matches(@"error:\n *at [^\n]*somebodysRoot", nonNull error.ForwardTrace)
