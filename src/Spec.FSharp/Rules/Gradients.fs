namespace Verified.Spec.Rules

/// What a backward computes, and where it puts it.
[<RequireQualifiedAccess>]
module Gradients =
    let backwardsAccumulate =
        rule "gradients/backwards-accumulate" "Each backward adds to what stands in a leaf's `grad`." "Each backward replaces it."

    let pathsAdd =
        rule
            "gradients/paths-add"
            "A tensor's gradient is the sum over all paths that lead to it."
            "The path that arrives last replaces the others."

    let addsInPlace =
        rule
            "gradients/adds-in-place"
            "Without `create_graph`, what accumulates is written into the tensor that is the gradient already: who holds it sees it."
            "A new tensor takes its place."

    let createGraphAddsOutOfPlace =
        rule
            "gradients/create-graph-adds-out-of-place"
            "Under `create_graph` the sum is a new tensor, and the old gradient stays as it was."
            "It is written into the old gradient."

    let neverShared =
        rule
            "gradients/never-shared"
            "A leaf's first gradient is a tensor of its own: neither what the user passed to `backward` nor another leaf's."
            "The tensor that arrives is kept as it is."

    /// PyTorch's is the known divergence gradient-kept-from-the-user.
    let viewsAreNotShared =
        ruleBrokenByPyTorch
            "gradients/views-are-not-shared"
            "A leaf's first gradient is no view of what the user passed to `backward` either."
            "A view that nothing else holds is kept as it is, where it lies in memory as the leaf does."

    /// PyTorch's is the known divergence first-gradient-of-another-shape.
    let firstHasTheLeafsShape =
        ruleBrokenByPyTorch
            "gradients/first-has-the-leafs-shape"
            "A leaf's first gradient has to fit the shape that the leaf has when it arrives."
            "A gradient that nothing else holds is kept as it is where it lies in memory as the leaf does, which was given another shape since the graph was made."

    /// PyTorch's is the known divergence given-what-is-added-to.
    let givenIsAsItWas =
        ruleBrokenByPyTorch
            "gradients/given-is-as-it-was"
            "A gradient that is given counts as it was when the backward began, also where it is a leaf's own, to which the backward adds."
            "It is read where it is used, some of it after it was added to."

    let givenIsCastByTheCaller =
        rule
            "gradients/given-is-cast-by-the-caller"
            "A gradient of another dtype that is given is cast in the caller's mode: what `grad` returns may lead back to it."
            "It is cast inside the pass, which records nothing."

    let mayBeViews =
        rule
            "gradients/may-be-views"
            "What `grad` returns may be a view made under `no_grad`: of the gradient that was given, where it came through a view, or of one number that a sum repeats."
            "It has memory of its own."

    let broadcastIsSummed =
        rule
            "gradients/broadcast-is-summed"
            "The gradient of an argument that was broadcast is summed to the argument's shape."
            "It keeps the shape of the result."

    let ownDtype =
        rule "gradients/own-dtype" "A gradient has the dtype of the tensor that it belongs to." "It has the dtype in which it was computed."

    let zeroIsNotNull =
        rule
            "gradients/zero-is-not-null"
            "A gradient is null where no path leads, and zeros where a path leads that carries zeros."
            "Zeros count as no gradient."

    let nullIsNotZero =
        rule "gradients/null-is-not-zero" "A leaf to which no path leads has no gradient at all." "It has a gradient of zeros."

    let givenIsCast =
        rule "gradients/given-is-cast" "A gradient given to `backward` in another float dtype is converted to the root's." "It is refused."

    let rootsAdd =
        rule
            "gradients/roots-add"
            "With several roots, what each of them gives is added, also where one depends on another or a root is named twice."
            "Only the first root counts."

    let onlyWhatIsWanted =
        rule
            "gradients/only-what-is-wanted"
            "`backward` with `inputs` leaves gradients in these tensors and in no others."
            "All leaves get theirs."

    let wantedMayBeComputed =
        rule
            "gradients/wanted-may-be-computed"
            "A computed tensor among the `inputs` of a `backward` gets its gradient as if it had been retained."
            "It gets none."

    let gradLeavesLeavesAlone =
        rule "gradients/grad-leaves-leaves-alone" "`grad` returns gradients and accumulates none." "The leaves accumulate as well."

    let getGradIsTheGradient =
        rule
            "gradients/get-grad-is-the-gradient"
            "`x.grad` is the gradient itself, not a copy: what is written to one shows in the other."
            "It is a copy."

    let zeroGradForgets =
        rule
            "gradients/zero-grad-forgets"
            "`zero_grad` sets the gradient to null, and leaves the tensor that it was alone."
            "It writes zeros into it."

    let zeroedInPlaceStays =
        rule
            "gradients/zeroed-in-place-stays"
            "`zero_grad` with `set_to_none=False` writes zeros into the tensor that is the gradient."
            "A new tensor of zeros takes its place."

    let zeroedInPlaceIsDetached =
        rule
            "gradients/zeroed-in-place-is-detached"
            "A gradient that is zeroed in place loses the history that `create_graph` gave it."
            "It keeps the history."

    let retainedIsKept =
        rule "gradients/retained-is-kept" "`retain_grad` asks that a computed tensor keep its gradient." "It does nothing."

    let retainedAccumulates =
        rule "gradients/retained-accumulates" "A retained gradient accumulates over several backwards." "Each backward replaces it."

    let retainedIsOfTheLatest =
        rule
            "gradients/retained-is-of-the-latest"
            "After a write in place, a retained gradient is that of the tensor as it is now."
            "It is that of the tensor before the write."

    /// PyTorch's is the known divergence retained-before-it-was-transposed.
    let retainedFollowsGeometry =
        ruleBrokenByPyTorch
            "gradients/retained-follows-geometry"
            "`t_` and `squeeze_` are no exception: after them a retained gradient is that of the tensor as it is now."
            "It is that of the tensor before, of another shape."

    /// PyTorch's is the known divergence retained-again-after-detach.
    let detachedRetainsNothing =
        ruleBrokenByPyTorch
            "gradients/detached-retains-nothing"
            "After `detach_` a tensor retains nothing of what it is from then on, until `retain_grad` asks for it again."
            "The tensor is taken to retain its gradient still, and asking again does nothing."

    /// PyTorch's is the known divergence view-taken-for-a-leaf.
    let retainingAsksForTheHistory =
        ruleBrokenByPyTorch
            "gradients/retaining-asks-for-the-history"
            "`retain_grad` of a view that a write to its base has made part of a graph retains, whether or not something has asked for the view's `grad_fn` before."
            "Until something has asked, the view is taken for a leaf, and nothing is retained."

    let onlyWhatRequiresIsRetained =
        rule
            "gradients/only-what-requires-is-retained"
            "`retain_grad` of a tensor that requires no gradient is an error, and so is such a tensor among the `inputs` of `backward`."
            "Nothing happens, and nothing is raised."

    let onlyOneElementIsImplicit =
        rule "gradients/only-one-element-is-implicit" "A root with other than one element needs a gradient beside it." "Ones are taken."

    let givenHasTheShape =
        rule
            "gradients/given-has-the-shape"
            "A gradient given to `backward` has exactly the root's shape: it is not broadcast."
            "It is broadcast."

    let aRootHasAHistory =
        rule "gradients/a-root-has-a-history" "A root that requires no gradient is an error." "It is passed over."

    let unusedIsAnError =
        rule
            "gradients/unused-is-an-error"
            "`grad` of a tensor that was not used is an error, unless `allow_unused` is given; then it is null."
            "It is null."

    let differentiatedRequires =
        rule
            "gradients/differentiated-requires"
            "`grad` of a tensor that requires no gradient is an error, even with `allow_unused`."
            "It counts as unused."

    let somethingIsWanted =
        rule "gradients/something-is-wanted" "An empty list of `inputs` is an error." "All leaves are meant, or none."

    let everyRootIsMatched =
        rule
            "gradients/every-root-is-matched"
            "Where gradients are given there is one, or None, for each root."
            "Roots without one start from ones."

    let internal all =
        [ backwardsAccumulate
          pathsAdd
          addsInPlace
          createGraphAddsOutOfPlace
          neverShared
          viewsAreNotShared
          firstHasTheLeafsShape
          givenIsAsItWas
          givenIsCastByTheCaller
          mayBeViews
          broadcastIsSummed
          ownDtype
          zeroIsNotNull
          nullIsNotZero
          givenIsCast
          rootsAdd
          onlyWhatIsWanted
          wantedMayBeComputed
          gradLeavesLeavesAlone
          getGradIsTheGradient
          zeroGradForgets
          zeroedInPlaceStays
          zeroedInPlaceIsDetached
          retainedIsKept
          retainedAccumulates
          retainedIsOfTheLatest
          retainedFollowsGeometry
          detachedRetainsNothing
          retainingAsksForTheHistory
          onlyWhatRequiresIsRetained
          onlyOneElementIsImplicit
          givenHasTheShape
          aRootHasAHistory
          unusedIsAnError
          differentiatedRequires
          somethingIsWanted
          everyRootIsMatched ]
