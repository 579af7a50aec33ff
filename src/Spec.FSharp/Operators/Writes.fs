namespace Verified.Spec.Operators

open Verified.Spec

/// A function of three numbers, over any number system.
type Combination =
    abstract Of<'S when 'S :> IScalar<'S>> : 'S * 'S * 'S -> 'S

/// The functions of numbers behind `addcmul_`, `addcdiv_` and `lerp_`.
module private CombinedFunctions =
    open Scalar

    let sumOfProduct (value: float) =
        { new Combination with
            member _.Of<'S when 'S :> IScalar<'S>>(a: 'S, b: 'S, c: 'S) =
                if value = 1.0 then
                    a + b * c
                else
                    'S.Permitted [| a + num value * b * c; a + num value * (b * c) |] }

    let sumOfQuotient (value: float) =
        { new Combination with
            member _.Of<'S when 'S :> IScalar<'S>>(a: 'S, b: 'S, c: 'S) =
                if value = 1.0 then
                    a + b / c
                else
                    'S.Permitted [| a + num value * b / c; a + num value * (b / c) |] }

    /// Honest engines start from either end, whichever is nearer, and go back by 1 - weight or on by weight - 1.
    let interpolation =
        { new Combination with
            member _.Of<'S when 'S :> IScalar<'S>>(a: 'S, b: 'S, weight: 'S) =
                'S.Permitted [| a + weight * (b - a); b - (b - a) * (num 1.0 - weight); b + (weight - num 1.0) * (b - a) |] }

/// Operators that exist in place only, and copies. The state machine writes the result into the first argument, whose dtype and
/// shape stay: a forward here gives what is to be written.
module Writes =
    /// What is written: converted to the written tensor's dtype, broadcast to its shape.
    let private fitted (self: Value<'S>) (v: Value<'S>) =
        Broadcast.shapes self.Shape v.Shape
        |> Result.bind (Complain.unlessFits self.Shape)
        |> Result.map (fun () -> [ v |> Value.expand self.Shape |> Value.cast self.DType ])

    let private messageType dtype =
        match dtype with
        | Float32 -> "float"
        | Float64 -> "double"
        | Int64 -> "long int"
        | Bool -> "bool"

    let private onlyInPlace name formula args attrs forward =
        { Define.computes name formula args attrs forward with
            OnlyInPlace = true
            InPlace = true }

    let private zerosLike (g: Term) = Derive.apply "zeros_like" [ g ] []

    let zero =
        { onlyInPlace "zero" "0" [ ArgKind.Any ] [] Internal.zeros with
            Overlap =
                fun _ ->
                    { Within = SameForAll
                      Reads = fun _ -> InStep }
            Overwrites = true
            // What was there before has no influence any more: its gradient is zero, not missing.
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> zerosLike g) ])) }

    let copy =
        { onlyInPlace
              "copy"
              "src, broadcast and converted"
              [ ArgKind.Any; ArgKind.Any ]
              []
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! self = Argument.tensor call 0
                          let! source = Argument.tensor call 1
                          return! fitted self source
                      } } with
            Node = fun _ -> "torch::autograd::CopyBackwards"
            // Of what lies where it writes it finds what it writes.
            Overlap =
                fun write ->
                    { Within = if write.IsWhereTheTargetIs 1 then SameForAll else Refused
                      Reads = fun _ -> InStep }
            Overwrites = true
            // Converted before it is summed, as in PyTorch.
            // Zeros in row-major order, however the gradient lies (CopyBackwards in torch/csrc/autograd/functions/tensor.cpp).
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> Derive.apply "zeros_of" [ g ] [ "size", Derive.sizeAttr g.Shape ])
                          Some(fun () -> Derive.cast (d.DTypeOf 1) g) ])
                ) }

    let private singleNumber name (operand: Operand<'S>) =
        Complain.unlessShape ((Operand.shape operand).Length = 0) (fun () -> $"{name} {(Operand.shape operand).Length} dimensions.")

    /// What is read as a number before it is written has to lie among the integers that it is written to.
    let private liesAmong<'S when 'S :> IScalar<'S>> dtype (operand: Operand<'S>) =
        let lies =
            match operand with
            | _ when dtype <> Int64 -> true
            | Number(Attr.Float x) -> Value.isAmongIntegers x
            | Whole v when v.DType.IsFloat -> Value.asFloats v.DType v |> Array.forall ('S.Value >> Value.isAmongIntegers)
            | _ -> true

        Complain.unlessValue lies (fun () -> "value cannot be converted to type int64_t without overflow")

    /// A number that fills a tensor of this dtype, as PyTorch converts it: a float is truncated for an integer tensor.
    let private filling<'S when 'S :> IScalar<'S>> dtype (operand: Operand<'S>) : Value<'S> =
        match operand with
        | Whole v -> v
        | Number _ when dtype = Float32 || dtype = Float64 ->
            Value.floats dtype [||] (Operand.floats dtype [||] operand |> Array.map (Elementwise.inFormat dtype))
        | Number _ ->
            let n, known = Operand.ints dtype [||] operand
            Value.ints dtype [||] n known

    let private fillsWithANumber =
        { new Admission with
            member _.Of call =
                Operand.read call 1 "value"
                |> Result.bind (singleNumber "fill_ only supports 0-dimension value tensor but got tensor with") }

    let fill =
        { onlyInPlace
              "fill"
              "value, a number or a zero-dimensional tensor"
              [ ArgKind.Any; ArgKind.Optional ArgKind.Any ]
              [ Define.oneOf (Define.operand "value" 1 [ 0.0; 1.5; -2.0 ]) ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! self = Argument.tensor call 0
                          let! value = Operand.read call 1 "value"
                          do! fillsWithANumber.Of call

                          do!
                              match value with
                              | Number _ -> liesAmong self.DType value
                              | Whole _ -> Ok()

                          return! fitted self (filling self.DType value)
                      } } with
            Node = Define.nodeByOverload "Fill" (fun call -> if call.Inputs = 1 then 2 else 3)
            Admits = fillsWithANumber
            // A tensor is copied, for which it is read before.
            Overlap =
                fun write ->
                    { Within = if write.Inputs = 1 then SameForAll else Refused
                      Reads = fun _ -> Before }
            Overwrites = true
            // The sum is another tensor, also of a gradient of one element.
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> zerosLike g); Some(fun () -> Shaping.unary "sum" g) ])) }

    let clone =
        { Define.computes
              "clone"
              "a copy of x"
              [ ArgKind.Any ]
              []
              { new Forward with
                  member _.Of(call: Call<'S>) = Argument.tensor call 0 |> Result.map List.singleton } with
            Arrangement = fun _ -> Arrangement.Copied
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> g) ])) }

    let toDType =
        { Define.computes
              "to"
              "x in another dtype"
              [ ArgKind.Any ]
              [ Define.required "dtype" AttrKind.DType ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! dtype = Read.dtype call.Attrs "dtype"
                          return [ Value.cast dtype x ]
                      } } with
            Node = Define.node "ToCopy"
            Arrangement = fun _ -> Arrangement.Copied
            ReturnsItself =
                fun dtype attrs ->
                    match Map.tryFind "dtype" attrs with
                    | Some(Attr.Text name) -> dtype.Name = name
                    | _ -> true
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> g) ])) }

    let private fillsByAMask =
        { new Admission with
            member _.Of call =
                result {
                    let! mask = Argument.tensor call 1
                    let! value = Operand.read call 2 "value"

                    do!
                        Complain.unlessShape ((Operand.shape value).Length = 0) (fun () ->
                            $"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {(Operand.shape value).Length} dimension(s).")

                    do!
                        Complain.unlessDType (mask.DType = Bool) (fun () ->
                            $"masked_fill_ only supports boolean masks, but got mask with dtype {messageType mask.DType}")
                } }

    /// Not only in place.
    let maskedFill =
        { Define.computes
              "masked_fill"
              "value where the mask holds, else x"
              [ ArgKind.Any; ArgKind.Mask; ArgKind.Optional ArgKind.Any ]
              [ Define.oneOf (Define.operand "value" 2 [ 0.0; -1.5 ]) ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! mask = Argument.tensor call 1
                          let! value = Operand.read call 2 "value"

                          let! shape = Broadcast.shapes x.Shape mask.Shape
                          do! fillsByAMask.Of call
                          do! liesAmong x.DType value
                          let holds, decided = Value.expand shape mask |> Value.asInts Bool
                          let x = Value.expand shape x
                          let value = filling x.DType value

                          if x.DType.IsFloat then
                              let filled = (Value.asFloats x.DType value)[0]

                              let elements =
                                  Array.map2
                                      (fun h (x: 'S) ->
                                          if not decided then 'S.Unknown x
                                          elif h <> 0L then filled
                                          else x)
                                      holds
                                      (Value.asFloats x.DType x)

                              return [ Value.floats x.DType shape elements ]
                          else
                              let filled, knownValue = Value.asInts x.DType value
                              let elements, known = Value.asInts x.DType x
                              let elements = Array.map2 (fun h x -> if h <> 0L then filled[0] else x) holds elements
                              return [ Value.ints x.DType shape elements (decided && known && knownValue) ]
                      } } with
            Arrangement =
                fun attrs ->
                    if attrs.ContainsKey Derive.inPlace then
                        Arrangement.Copied
                    else
                        Arrangement.RowMajor
            Node = Define.nodeByOverload "MaskedFill" (fun call -> if call.Inputs = 3 then 1 else 0)
            Admits = fillsByAMask
            Overlap =
                fun _ ->
                    { Within = SameWhere 1
                      Reads = fun i -> if i = 2 then Before else InStep }
            InPlace = true
            Saves = fun _ _ -> [ Input 1 ]
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> Derive.apply "masked_fill" [ g; d.Input 1 ] [ "value", Attr.Float 0.0 ])
                          None
                          Some(fun () -> Derive.apply "masked_sum" [ g; d.Input 1 ] []) ])
                ) }

    /// What the derivative by a number is made by.
    let maskedSum =
        { Define.computes
              "masked_sum"
              "y = sum of x where the mask holds"
              [ ArgKind.Float; ArgKind.Mask ]
              []
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! mask = Argument.tensor call 1
                          let holds, decided = Value.expand x.Shape mask |> Value.asInts Bool
                          let elements = Value.asFloats x.DType x

                          let held =
                              if decided then
                                  Array.zip holds elements |> Array.filter (fun (h, _) -> h <> 0L) |> Array.map snd
                              else
                                  elements |> Array.map 'S.Unknown

                          return
                              [ Value.floats x.DType [||] [| (if held.Length = 0 then Value.exact x.DType 0.0 else 'S.Sum held) |]
                                Value.ints Int64 [||] [| int64 held.Length |] decided ]
                      } } with
            Internal = true
            // As masked_select, which PyTorch makes it of. The second result is how many it has chosen.
            Node = Define.node "MaskedSelect"
            Saves = fun _ _ -> [ Input 0; Input 1; Output 1 ]
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              Derive.apply "masked_spread" [ g; d.Input 1; d.Output 1 ] [ "size", Derive.sizeAttr (d.ShapeOf 0) ]) ])
                ) }

    /// As masked_scatter of what is expanded to as many elements as were chosen: by then the mask may hold where it did not.
    let maskedSpread =
        { Define.computes
              "masked_spread"
              "y = x where the mask holds, else 0: the transpose of masked_sum"
              [ ArgKind.Float; ArgKind.Mask; ArgKind.Index ]
              [ Define.required "size" AttrKind.Size ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! mask = Argument.tensor call 1
                          let! count = Argument.tensor call 2
                          let! size = Read.integers call.Attrs "size"
                          let size = Array.ofList size
                          let holds, decided = Value.expand size mask |> Value.asInts Bool
                          let chosen, known = Value.asInts Int64 count

                          do!
                              if decided && known && (holds |> Array.filter ((<>) 0L)).LongLength > chosen[0] then
                                  Complain.because OtherError "Number of elements of source < number of ones in mask"
                              else
                                  Ok()

                          let zero: 'S = Value.exact x.DType 0.0

                          let spread h (x: 'S) =
                              if not decided then 'S.Unknown x
                              elif h <> 0L then x
                              else zero

                          return [ Array.map2 spread holds (Value.expand size x |> Value.asFloats x.DType) |> Value.floats x.DType size ]
                      } } with
            Internal = true
            Node = Define.node "MaskedScatter"
            Saves = fun _ _ -> [ Input 1 ]
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> Derive.apply "masked_sum" [ g; d.Input 1 ] []) ])) }

    /// A result of self and two or three operands, promoted together; in place, it must fit self.
    let private combined (f: Attrs -> Result<Combination, Complaint>) onInts : Forward =
        { new Forward with
            member _.Of(call: Call<'S>) =
                result {
                    let! self = Argument.tensor call 0
                    let! b = Argument.tensor call 1
                    let! c = Operand.read call 2 "weight"
                    let operands = [ Whole self; Whole b; c ]
                    let! dtype, shape = Operand.result operands

                    do! Complain.unlessFits self.Shape shape

                    do!
                        Complain.unlessDType (Promotion.canCast dtype self.DType) (fun () ->
                            $"result type {Promotion.messageName dtype} can't be cast to the desired output type {Promotion.messageName self.DType}")

                    let! f = f call.Attrs

                    if dtype.IsFloat then
                        let a, b, c =
                            Operand.floats dtype shape (Whole self), Operand.floats dtype shape (Whole b), Operand.floats dtype shape c

                        let elements = Array.map3 (fun a b c -> Elementwise.inFormat dtype (f.Of(a, b, c))) a b c
                        return! fitted self (Value.floats dtype shape elements)
                    else
                        let! f = onInts call.Attrs dtype
                        let a, knownA = Operand.ints dtype shape (Whole self)
                        let b, knownB = Operand.ints dtype shape (Whole b)
                        let c, knownC = Operand.ints dtype shape c
                        return! fitted self (Value.ints dtype shape (Array.map3 f a b c) (knownA && knownB && knownC))
                } }

    /// Times 1, too, so that a product is kept and not the tensor.
    let private timesValue (attrs: Attrs) (t: Term) =
        Derive.apply "mul" [ t ] [ "other", Read.optional attrs "value" |> Option.defaultValue (Attr.Integer 1L) ]

    let private value = Define.attr "value" (AttrKind.Number [ 1.0; 0.5; -2.0 ])
    let private three = [ ArgKind.Any; ArgKind.Any; ArgKind.Any ]

    let addcmul =
        { onlyInPlace
              "addcmul"
              "self + value * tensor1 * tensor2"
              three
              [ value ]
              (combined (fun attrs -> Read.numberOr 1.0 attrs "value" |> Result.map CombinedFunctions.sumOfProduct) (fun attrs dtype ->
                  if dtype = Bool then
                      Complain.dtype "\"addcmul_cpu_out\" not implemented for 'Bool'"
                  else
                      Read.numberOr 1.0 attrs "value" |> Result.map (fun value -> fun a b c -> a + int64 value * b * c))) with
            Saves =
                fun needs _ ->
                    [ if needs 2 then Input 1
                      if needs 1 then Input 2 ]
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> g)
                          Some(fun () -> g * timesValue d.Attrs (d.Input 2))
                          Some(fun () -> g * timesValue d.Attrs (d.Input 1)) ])
                ) }

    let private dividesNoIntegers =
        { new Admission with
            member _.Of call =
                result {
                    let! tensor1 = Argument.tensor call 1
                    let! tensor2 = Argument.tensor call 2

                    do!
                        Complain.unlessDType (tensor1.DType.IsFloat || tensor2.DType.IsFloat) (fun () ->
                            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division of tensor1 and tensor2.")
                } }

    let addcdiv =
        { onlyInPlace
              "addcdiv"
              "self + value * tensor1 / tensor2"
              three
              [ value ]
              (combined (fun attrs -> Read.numberOr 1.0 attrs "value" |> Result.map CombinedFunctions.sumOfQuotient) (fun _ _ ->
                  Complain.dtype "Integer division with addcdiv is no longer supported")) with
            Admits = dividesNoIntegers
            Saves =
                fun needs _ ->
                    [ if needs 2 then Input 1
                      Input 2 ]
            Domain = NonZero
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> g)
                          // g * (value / tensor2), as PyTorch has it: its two roundings cover a single division's one.
                          Some(fun () ->
                              let one = zerosLike (d.Input 2) + 1.0
                              g * (timesValue d.Attrs one / d.Input 2))
                          Some(fun () -> -g * (timesValue d.Attrs (d.Input 1) / (d.Input 2 * d.Input 2))) ])
                ) }

    let private takesOneType =
        { new Admission with
            member _.Of call =
                result {
                    let! self = Argument.tensor call 0
                    let! finish = Argument.tensor call 1
                    let! weight = Operand.read call 2 "weight"

                    let expect name (dtype: DType) =
                        Complain.unlessDType (dtype = self.DType) (fun () ->
                            $"expected dtype {messageType self.DType} for `{name}` but got dtype {messageType dtype}")

                    do! expect "end" finish.DType

                    match weight with
                    | Whole weight -> do! expect "weight" weight.DType
                    | Number _ -> ()
                } }

    let lerp =
        { onlyInPlace
              "lerp"
              "self + weight * (end - self)"
              [ ArgKind.Float; ArgKind.Float; ArgKind.Optional ArgKind.Float ]
              [ Define.oneOf (Define.operand "weight" 2 [ 0.5; 0.25; 0.75; 1.5 ]) ]
              (combined (fun _ -> Ok CombinedFunctions.interpolation) (fun _ dtype ->
                  Complain.dtype $"\"lerp_kernel_scalar\" not implemented for '{Promotion.messageName dtype}'")) with
            Admits = takesOneType
            Node = Define.nodeByOverload "Lerp" (fun call -> if call.Inputs = 3 then 1 else 0)
            // The weight needs both ends; the ends need the weight, where it is a tensor.
            Saves =
                fun needs attrs ->
                    [ if needs 2 then
                          Input 1
                          Input 0
                      if (Read.optional attrs "weight").IsNone then Input 2 ]
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let weighted (g: Term) =
                            if d.Has 2 then
                                g * d.Input 2
                            else
                                Derive.apply "mul" [ g ] [ "other", d.Attrs["weight"] ]

                        [ Some(fun () ->
                              if d.Has 2 then
                                  g * (1.0 - d.Input 2)
                              else
                                  g * (1.0 - (Read.number d.Attrs "weight" |> Result.defaultValue nan)))
                          Some(fun () -> weighted g)
                          Some(fun () -> g * (d.Input 1 - d.Input 0)) ])
                ) }

    let all = [ zero; fill; copy; clone; toDType; maskedFill; maskedSum; maskedSpread; addcmul; addcdiv; lerp ]
