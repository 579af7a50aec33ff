namespace Verified.Spec.Operators

open Verified.Spec

/// The functions of numbers behind the operators of `Activations`.
module private ActivationFunctions =
    open Scalar

    let relu =
        { new Unary with
            member _.Of x = Elementwise.larger x (num 0.0) }

    /// x above 0, else f(x). It is continuous with f(0) = 0, so an undecided comparison costs accuracy and no more.
    let private aboveZeroElse (f: Unary) =
        { new Unary with
            member _.Of<'S when 'S :> IScalar<'S>>(x: 'S) =
                let zero: 'S = num 0.0

                match 'S.Compare(x, zero) with
                | Greater -> x
                | Less
                | Equal
                | Unordered -> f.Of x
                | Undecided -> Elementwise.larger x zero + f.Of(Elementwise.smaller x zero) }

    let leakyRelu (slope: float) =
        aboveZeroElse
            { new Unary with
                member _.Of x = num slope * x }

    let elu (alpha: float) =
        aboveZeroElse
            { new Unary with
                member _.Of<'S when 'S :> IScalar<'S>>(x: 'S) =
                    Elementwise.scaled alpha ('S.Permitted [| apply Elementary.Expm1 x; exp x - num 1.0 |]) }

    let silu =
        { new Unary with
            member _.Of x = x * apply Elementary.Sigmoid x }

    let gelu =
        { new Unary with
            member _.Of x = num 0.5 * x * (num 1.0 + apply Elementary.Erf (x * num 0.7071067811865476)) }

    let geluTanh =
        { new Unary with
            member _.Of x =
                let inner = num 0.7978845608028654 * (x + num 0.044715 * (x * x * x))
                num 0.5 * x * (num 1.0 + apply Elementary.Tanh inner) }

    let softplus (beta: float) (threshold: float) =
        { new Unary with
            member _.Of<'S when 'S :> IScalar<'S>>(x: 'S) =
                let over (y: 'S) = if beta = 1.0 then y else y / num beta
                let scaled = Elementwise.scaled beta x

                let curved () =
                    let stable = Elementwise.larger scaled (num 0.0) + apply Elementary.Log1p (exp (neg (abs scaled)))
                    'S.Permitted [| over (apply Elementary.Log1p (exp scaled)); over stable |]

                match 'S.Compare(scaled, num threshold) with
                | Greater -> x
                | Less
                | Equal
                | Unordered -> curved ()
                | Undecided -> 'S.Permitted [| curved (); x |] }

    let kept (p: float) =
        { new Unary with
            member _.Of<'S when 'S :> IScalar<'S>>(x: 'S) =
                if p = 0.0 then
                    x
                else
                    let left: 'S = num 1.0 - num p
                    'S.Permitted [| x * (num 1.0 / left); x / left |] }

/// Activations, element by element, and dropout.
module Activations =
    let private activation name formula attrs forward kinks (gradient: IDerivation -> Term -> Term) =
        { Define.elementwise name formula [ ArgKind.Float ] attrs forward with
            Spelling = Define.functional
            Saves = fun _ _ -> [ Input 0 ]
            Kinks = kinks
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> gradient d g) ])) }

    // Attributes have been read once by the forward, so they are there.
    let private numberOf (d: IDerivation) name fallback = Read.numberOr fallback d.Attrs name |> Result.defaultValue fallback

    let relu =
        { activation
              "relu"
              "max(x, 0)"
              []
              (Elementwise.keeping ActivationFunctions.relu (fun dtype ->
                  if dtype = Bool then
                      Complain.dtype "Boolean inputs not supported for relu"
                  else
                      Ok(dtype, max 0L)))
              (Some "relu'(0) = 0, relu'(NaN) = 1: zero where the result is not above 0 (pytorch-kinks: relu)")
              (fun d g ->
                  let zeros = Derive.apply "zeros_like" [ g ] []
                  Derive.apply "where_above" [ d.Output 0; g; zeros ] [ "unordered", Attr.Flag true ]) with
            Spelling = Define.ofTensor
            Args = [ ArgKind.Any ]
            InPlace = true
            Saves = fun _ _ -> [ Output 0 ] }

    let leakyRelu =
        activation
            "leaky_relu"
            "x above 0, else negative_slope * x"
            [ Define.attr "negative_slope" (AttrKind.Number [ 0.01; 0.2; 1.5 ]) ]
            (Elementwise.floatsOnly "leaky_relu_cpu" (fun attrs ->
                Read.numberOr 0.01 attrs "negative_slope" |> Result.map ActivationFunctions.leakyRelu))
            (Some "leaky_relu'(0) = negative_slope (pytorch-kinks: leaky_relu)")
            (fun d g ->
                let x = d.Input 0
                // Above 0 nothing flows there, though the slope may not be finite.
                let leak = Derive.zeroWhere (Derive.compared "gt" x 0.0) g * numberOf d "negative_slope" 0.01
                Derive.apply "where_above" [ x; g; leak ] [ "unordered", Attr.Flag false ])

    let elu =
        { activation
              "elu"
              "x above 0, else alpha * (e^x - 1)"
              [ Define.attr "alpha" (AttrKind.Number [ 1.0; 2.0; 0.5 ]) ]
              (Elementwise.floatsOnly "elu_cpu" (fun attrs -> Read.numberOr 1.0 attrs "alpha" |> Result.map ActivationFunctions.elu))
              (Some "elu'(0) = alpha (pytorch-kinks: elu); elu''(0) = 0 (PyTorch's elu_double_backward)")
              (fun d g ->
                  let x = d.Input 0
                  // Above 0 nothing flows there, but the exponential must not overflow either; at 0 the second derivative is 0.
                  let below = Derive.zeroWhere (Derive.compared "ge" x 0.0) x
                  let exponential = Derive.apply "exp" [ below ] []
                  let curved = g * (exponential * numberOf d "alpha" 1.0)
                  // NaN lies on neither side: PyTorch takes the line in short tensors and the curve in long ones.
                  Derive.apply "where_above" [ x; g; curved ] []) with
            Fused =
                Define.fusedSymmetric "EluBackward" (fun a ->
                    let bent = Derive.compared "lt" (a.First.Input 0) 0.0
                    let again = a.Of(a.Arriving * a.First.Gradient(0).Value)
                    again * Derive.cast again.DType bent) }

    let silu =
        activation
            "silu"
            "x / (1 + exp(-x))"
            []
            (Elementwise.floatsOnly "silu_cpu" (Elementwise.always ActivationFunctions.silu))
            None
            (fun d g ->
                let x = d.Input 0
                let s = Derive.apply "sigmoid" [ x ] []
                g * s * (x * (1.0 - s) + 1.0))

    let private isTanh (d: IDerivation) = Read.optional d.Attrs "approximate" = Some(Attr.Text "tanh")

    /// Far out the curve is straight, and no power of x may overflow; an infinity gives NaN.
    let private whereCurved (x: Term) = Derive.apply "clamp" [ x ] [ "min", Attr.Float -100.0; "max", Attr.Float 100.0 ] + 0.0 * x

    /// gelu''(x): the density times 2 - x^2.
    let private curvature (x: Term) =
        let density = 0.3989422804014327 * Derive.apply "exp" [ -0.5 * (x * x) ] []
        2.0 * density - density * x * x

    /// The same of the approximation by tanh.
    let private tanhCurvature (x: Term) =
        let x = whereCurved x
        let square = x * x
        let t = Derive.apply "tanh" [ 0.7978845608028654 * (x + (0.044715 * (square * x))) ] []
        let slope = 0.7978845608028654 * (0.134145 * square + 1.0)
        let steep = 1.0 - t * t
        steep * slope + 0.5 * x * (steep * (0.21406444881780073 * x) - 2.0 * (t * (steep * slope)) * slope)

    let gelu =
        { activation
              "gelu"
              "x * (1 + erf(x / sqrt 2)) / 2, or its approximation by tanh"
              [ Define.attr "approximate" (AttrKind.Choice [ "none"; "tanh" ]) ]
              (Elementwise.floatsOnly "GeluKernelImpl" (fun attrs ->
                  result {
                      match! Read.textOr "none" attrs "approximate" with
                      | "none" -> return ActivationFunctions.gelu
                      | "tanh" -> return ActivationFunctions.geluTanh
                      | _ -> return! Complain.value "approximate argument must be either none or tanh."
                  }))
              None
              (fun d g ->
                  let x = d.Input 0

                  if isTanh d then
                      let x = whereCurved x
                      let square = x * x
                      let inner = 0.7978845608028654 * (x + (0.044715 * (square * x)))
                      let t = Derive.apply "tanh" [ inner ] []
                      let slope = 0.7978845608028654 * (0.134145 * square + 1.0)
                      g * (0.5 * (t + 1.0) + (0.5 * x) * ((1.0 - t * t) * slope))
                  else
                      let below = 0.5 * (Derive.apply "erf" [ 0.7071067811865476 * x ] [] + 1.0)
                      let density = 0.3989422804014327 * Derive.apply "exp" [ -0.5 * (x * x) ] []
                      g * (below + x * density)) with
            Fused =
                Define.fusedSymmetric "GeluBackward" (fun a ->
                    let curvature = if isTanh a.First then tanhCurvature else curvature
                    a.Arriving * a.First.Gradient(0).Value * curvature (a.First.Input 0)) }

    let softplus =
        { activation
              "softplus"
              "ln(1 + exp(beta * x)) / beta, and x where beta * x is above threshold"
              [ Define.attr "beta" (AttrKind.Number [ 1.0; 2.0; 0.5 ])
                Define.attr "threshold" (AttrKind.Number [ 20.0; 1.0 ]) ]
              (Elementwise.floatsOnly "softplus_cpu" (fun attrs ->
                  result {
                      let! beta = Read.numberOr 1.0 attrs "beta"
                      let! threshold = Read.numberOr 20.0 attrs "threshold"
                      return ActivationFunctions.softplus beta threshold
                  }))
              (Some
                  "where beta * x is above threshold it is x and its derivative 1; at the threshold still the curve, but its second derivative is 0 (pytorch-kinks: softplus; softplus_double_backward)")
              (fun d g ->
                  let x = d.Input 0
                  let beta = numberOf d "beta" 1.0
                  let scaled = if beta = 1.0 then x else beta * x
                  let threshold = numberOf d "threshold" 20.0
                  let reached = Derive.compared "ge" scaled threshold
                  let below = Derive.apply "where" [ reached; scaled ] [ "self", Attr.Float threshold ]
                  let curved = g * Derive.apply "sigmoid" [ below ] []
                  let linear = Derive.compared "gt" scaled threshold
                  Derive.apply "where" [ linear; g; curved ] []) with
            Fused =
                Define.fusedSymmetric "SoftplusBackward" (fun a ->
                    let beta = numberOf a.First "beta" 1.0
                    let scaled = beta * a.First.Input 0
                    let s = Derive.apply "sigmoid" [ scaled ] []
                    let bent = Derive.compared "lt" scaled (numberOf a.First "threshold" 20.0)
                    a.Arriving * a.First.Gradient(0).Value * (s * (1.0 - s)) * Derive.cast s.DType bent * beta) }

    /// By a mask that nobody else holds.
    let private dropoutByItsOwn =
        { Define.elementwise
              "dropout_by_its_own"
              "x / (1 - p) where the mask holds, else 0"
              [ ArgKind.Float; ArgKind.Mask ]
              [ Define.attr "p" (AttrKind.Number [ 0.5; 0.25; 0.0; 1.0 ]) ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! mask = Argument.tensor call 1
                          let! p = Read.numberOr 0.5 call.Attrs "p"

                          do!
                              Complain.unlessValue (p >= 0.0 && p <= 1.0) (fun () ->
                                  $"dropout probability has to be between 0 and 1, but got {p}")

                          do! Complain.unlessDType (mask.DType = Bool) (fun () -> $"dropout expects a bool mask, but got {mask.DType.Name}")

                          do!
                              Complain.unlessShape (mask.Shape = x.Shape) (fun () ->
                                  $"dropout expects a mask of shape {Shape.show x.Shape}, but got {Shape.show mask.Shape}")

                          let keeps, decided = Value.asInts Bool mask
                          let f = ActivationFunctions.kept p

                          let thinned =
                              Array.map2
                                  (fun keep (x: 'S) ->
                                      let y = if keep <> 0L && p < 1.0 then f.Of x else Scalar.(*) x (Scalar.num 0.0)
                                      if decided then y else 'S.Unknown y)
                                  keeps
                                  (Value.asFloats x.DType x)

                          return [ Value.floats x.DType x.Shape thinned ]
                      } } with
            Internal = true
            Node = Define.node "Dropout"
            // The mask is applied by the caller, which looks at its shape first.
            ArgumentsFirst = fun _ -> true
            Saves = fun needs _ -> [ if needs 0 then Input 1 ]
            Derivative =
                Some(Derive.rule (fun d g -> [ Some(fun () -> Derive.apply "dropout_by_its_own" [ g; d.Input 1 ] (Map.toList d.Attrs)) ])) }

    let dropout =
        { Define.composes
              "dropout"
              "x / (1 - p) where the mask holds, else 0"
              dropoutByItsOwn.Args
              dropoutByItsOwn.Attrs
              (fun attrs terms ->
                  // A copy is kept, so that a write to the mask is no error.
                  let own = terms |> List.mapi (fun i term -> if i = 1 then Option.map (Shaping.unary "clone") term else term)
                  Ok [ Derive.applyTo dropoutByItsOwn.Name own (Map.toList attrs) ]) with
            Shapes = dropoutByItsOwn.Shapes
            Domain = dropoutByItsOwn.Domain }

    let all = [ relu; leakyRelu; elu; silu; gelu; softplus; dropoutByItsOwn; dropout ]
