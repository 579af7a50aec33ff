namespace Verified.Spec

/// A rule of autograd under a name that stays. Where the specification follows the rule, it asks whether the state holds it;
/// beside that stands what goes wrong without. So a rule can be switched off, and a program that shows it told from one that
/// does not.
type AutogradRule =
    {
        /// "versions/detach-shares-the-counter".
        Name: string
        /// The rule, in plain words.
        Says: string
        /// What happens where it is switched off: the mistake that one would naturally make.
        Without: string
    }

/// The rules of autograd. In the code a rule goes by its name in camel case: `Rules.Versions.detachSharesTheCounter`.
[<RequireQualifiedAccess>]
module Rules =
    let private rule name says without =
        { Name = name
          Says = says
          Without = without }

    /// Leaves, and the flags of tensors.
    module Leaves =
        let oneArgumentIsEnough =
            rule
                "leaves/one-argument-is-enough"
                "What is computed requires a gradient as soon as one of its arguments does."
                "Only what is computed of arguments that all require a gradient requires one."

        let integersNeverRequire =
            rule
                "leaves/integers-never-require"
                "Integer and boolean results never require a gradient, whatever they were computed from."
                "They get a history like any other result."

        let aLeafHasNoHistory =
            rule
                "leaves/a-leaf-has-no-history"
                "A leaf is a tensor without a history, whether it requires a gradient or not."
                "Only a tensor that requires a gradient counts as a leaf."

        let onlyLeavesKeepGradients =
            rule
                "leaves/only-leaves-keep-gradients"
                "A backward leaves gradients in leaves alone: `grad` of a computed tensor stays null unless it was asked for."
                "Every computed tensor keeps its gradient."

        let onlyFloatsMayRequire =
            rule
                "leaves/only-floats-may-require"
                "Asking an integer or boolean tensor to require a gradient is an error."
                "The flag is set."

        let aComputedTensorStaysRequired =
            rule
                "leaves/a-computed-tensor-stays-required"
                "The flag of a computed tensor cannot be switched off; that is an error."
                "Nothing happens, and nothing is raised."

        let switchedOffAccumulatesNothing =
            rule
                "leaves/switched-off-accumulates-nothing"
                "A leaf that was switched off after its use keeps its place in the graph, but accumulates nothing."
                "It accumulates, since the graph leads to it."

        let writtenIntoTheGraph =
            rule
                "leaves/written-into-the-graph"
                "A leaf that was switched off after its use and then given a history by a write is a leaf no more; a gradient that arrives at its old place in the graph is an error."
                "It is dropped, since the flag is off."

        let theFlagIgnoresTheMode =
            rule "leaves/the-flag-ignores-the-mode" "`requires_grad_` counts inside `no_grad` as well." "It does nothing there."

        let detachHasNoHistory =
            rule
                "leaves/detach-has-no-history"
                "`detach` gives a tensor that neither requires a gradient nor has a history."
                "It keeps flag and history, and gradients pass through it."

        let detachedInPlaceEndsThere =
            rule
                "leaves/detached-in-place-ends-there"
                "`detach_` makes the tensor itself a leaf without a gradient; what was computed from it before keeps its graph."
                "It does nothing."

        let viewsAreNotDetachedInPlace =
            rule "leaves/views-are-not-detached-in-place" "`detach_` of a view is an error." "The view loses its history."

        let dataHasNoHistory =
            rule
                "leaves/data-has-no-history"
                "`data` gives a tensor that neither requires a gradient nor has a history."
                "It keeps flag and history, and gradients pass through it."

    /// What a backward computes, and where it puts it.
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

        let broadcastIsSummed =
            rule
                "gradients/broadcast-is-summed"
                "The gradient of an argument that was broadcast is summed to the argument's shape."
                "It keeps the shape of the result."

        let ownDtype =
            rule
                "gradients/own-dtype"
                "A gradient has the dtype of the tensor that it belongs to."
                "It has the dtype in which it was computed."

        let zeroIsNotNull =
            rule
                "gradients/zero-is-not-null"
                "A gradient is null where no path leads, and zeros where a path leads that carries zeros."
                "Zeros count as no gradient."

        let nullIsNotZero =
            rule "gradients/null-is-not-zero" "A leaf to which no path leads has no gradient at all." "It has a gradient of zeros."

        let givenIsCast =
            rule
                "gradients/given-is-cast"
                "A gradient given to `backward` in another float dtype is converted to the root's."
                "It is refused."

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

    /// How long a graph can be used.
    module Graph =
        let freedAfterUse =
            rule
                "graph/freed-after-use"
                "A backward frees what the operators kept; a second one through them is an error."
                "The second backward finds everything as it was."

        let onlyWhatKeptIsFreed =
            rule
                "graph/only-what-kept-is-freed"
                "A second backward is an error only where an operator kept something: sums and views can be passed again."
                "It is an error everywhere."

        let numbersAreKept =
            rule
                "graph/numbers-are-kept"
                "A number that an operator keeps, as in `x * 2`, is freed like a tensor."
                "Numbers are no tensors, and are not freed."

        let retainGraphKeeps =
            rule "graph/retain-graph-keeps" "`retain_graph` keeps the graph for one more backward." "It does nothing."

        let createGraphRetains =
            rule
                "graph/create-graph-retains"
                "Under `create_graph` the graph is retained unless `retain_graph=False` is given."
                "It is freed unless `retain_graph=True` is given."

        let onlyWhatWasPassedIsFreed =
            rule
                "graph/only-what-was-passed-is-freed"
                "A backward frees only the nodes that it ran: the way to the tensors that were wanted."
                "It frees all that the root leads to."

        let createGraphRecords =
            rule
                "graph/create-graph-records"
                "Under `create_graph` the gradients have histories of their own and can be differentiated again."
                "They are constants."

        let gradientsAreConstants =
            rule
                "graph/gradients-are-constants"
                "Without `create_graph` gradients have no history, even where the gradient that was given has one."
                "They have."

    /// Version counters, and what operators keep.
    module Versions =
        let writesCount =
            rule "versions/writes-count" "Every write in place raises the tensor's version by one." "Versions stay at zero."

        let keptIsChecked =
            rule
                "versions/kept-is-checked"
                "What an operator kept must have the version that it had, when backward needs it; else that is an error."
                "Backward computes with what is there now."

        let onlyWhatIsKeptIsChecked =
            rule
                "versions/only-what-is-kept-is-checked"
                "An operator keeps only what its derivative reads; everything else may be written to."
                "An operator keeps all its arguments and results."

        let keptOnlyWhereNeeded =
            rule
                "versions/kept-only-where-needed"
                "An operator keeps an argument only if the gradient that reads it is wanted: `x * w` keeps `x` only if `w` requires a gradient."
                "It keeps it anyway."

        let viewsShareTheCounter =
            rule
                "versions/views-share-the-counter"
                "A base and all its views have one version counter: a write to any element through any of them counts for all."
                "Each view counts its own writes."

        let detachSharesTheCounter =
            rule
                "versions/detach-shares-the-counter"
                "`detach` shares the version counter: a write to its result is seen by who kept the original."
                "It has a counter of its own."

        let dataHasItsOwnCounter =
            rule
                "versions/data-has-its-own-counter"
                "`data` shares the memory but not the version counter: a write through it goes unnoticed."
                "It shares the counter."

        let writesCountInEveryMode =
            rule "versions/writes-count-in-every-mode" "Writes under `no_grad` count." "Only recorded writes count."

        let accumulationCounts =
            rule
                "versions/accumulation-counts"
                "A backward that adds to a gradient in place writes to it: who kept the gradient sees it."
                "It does not count."

        let aWriteKeepsWhatWasThere =
            rule
                "versions/a-write-keeps-what-was-there"
                "An operator in place whose derivative reads its argument keeps a copy of what it overwrites."
                "It keeps the tensor that it overwrites, and its own write is an error in backward."

        let aWriteKeepsItsResult =
            rule
                "versions/a-write-keeps-its-result"
                "An operator in place whose derivative reads its result keeps it as it is after the write."
                "It keeps the version from before the write, and its own write is an error in backward."

        let keptIsNotDetached =
            rule
                "versions/kept-is-not-detached"
                "A tensor that was kept as an argument and then detached in place is an error in backward; one kept as a result is none."
                "Backward goes on."

        let geometryInPlaceCounts =
            rule
                "versions/geometry-in-place-counts"
                "A view operator in place, as `t_`, changes no element, but counts as a write."
                "It does not count."

        let vectorTimesMatrixStartsAtOne =
            rule
                "versions/vector-times-matrix-starts-at-one"
                "The product of a vector and a matrix starts at version 1: it is computed as a row and squeezed in place."
                "It starts at 0 like all results."

        let runningStatisticsMoveUnseen =
            rule
                "versions/running-statistics-move-unseen"
                "Training `batch_norm` changes its running statistics, and that does not count as a write."
                "It counts."

    /// Views, and writes through them.
    module Views =
        let shareMemory =
            rule "views/share-memory" "A view shows the memory of its base: what is written to one shows in the other." "A view is a copy."

        let nothingToDoIsTheTensorItself =
            rule
                "views/nothing-to-do-is-the-tensor-itself"
                "`contiguous`, `to` and their like give the tensor itself where there is nothing to do."
                "They give a copy."

        let reshapeCopies =
            rule
                "views/reshape-copies"
                "`reshape` and `flatten` give a view where strides allow it, and a copy where they do not."
                "They refuse where `view` refuses."

        let aWriteRewritesTheBase =
            rule
                "views/a-write-rewrites-the-base"
                "A write to a view is a write to its base: the base gets a new history, in which what is inside of the view goes through the write and what is outside passes."
                "Only the view gets a new history."

        let historiesAreMadeAnew =
            rule
                "views/histories-are-made-anew"
                "A view whose base, or another view of it, was written to since gets its history anew from the base's."
                "It keeps the history that it was made with."

        let chainsHaveOneBase =
            rule "views/chains-have-one-base" "A view of a view is a view of the first tensor." "It is a view of the view."

        let requireWithTheirBase =
            rule
                "views/require-with-their-base"
                "A view requires a gradient as soon as its base does, also one made before the base took on a history."
                "It requires one only if it was made with a history."

        let oneOfSeveralIsReadOnly =
            rule
                "views/one-of-several-is-read-only"
                "One of several views that one operator returned (`unbind`, `split`, `chunk`) cannot be written to with recording on; that is an error."
                "The write goes through."

        let oneOfSeveralEndsWithAWrite =
            rule
                "views/one-of-several-ends-with-a-write"
                "After a write to their base, views that one operator returned together cannot be used with recording on; that is an error."
                "They get their history anew, as other views do."

        let readOnlyIsInherited =
            rule "views/read-only-is-inherited" "A view of a view that may not be written to may not be written to either." "It may."

        let madeInNoGradIsReadOnly =
            rule
                "views/made-in-no-grad-is-read-only"
                "A view made under `no_grad` cannot be written to with recording on, where that would be recorded; that is an error."
                "The write goes through."

        let madeInInferenceIsReadOnly =
            rule
                "views/made-in-inference-is-read-only"
                "A view made in inference mode of an ordinary tensor cannot be written to outside with recording on, where that would be recorded; that is an error."
                "The write goes through."

        let madeInNoGradHasNoHistory =
            rule
                "views/made-in-no-grad-has-no-history"
                "A view made under `no_grad` says that it requires a gradient if its base does, but has no history: what is computed from it reaches nobody."
                "It has a history as if it had been recorded."

        let ofALeafIsReadOnly =
            rule
                "views/of-a-leaf-is-read-only"
                "A view of a leaf that requires a gradient cannot be written to with recording on; that is an error."
                "The write goes through, and the leaf takes on its history."

        let detachedIsNoView =
            rule
                "views/detached-is-no-view"
                "`detach` shares memory but is no view for autograd: a write to it changes no history but its own."
                "It is a view like others."

        let viewsInPlaceKeepTheirBase =
            rule
                "views/views-in-place-keep-their-base"
                "A view operator in place (`t_`) changes the geometry of the tensor itself, and its history with it."
                "The history stays that of the old geometry."

    /// Writes in place.
    module Writes =
        let leavesAreReadOnly =
            rule
                "writes/leaves-are-read-only"
                "A leaf that requires a gradient cannot be written to with recording on; that is an error."
                "The write goes through, and the leaf takes on its history."

        let aWriteIsHistory =
            rule "writes/a-write-is-history" "The written tensor's history becomes that of the write." "It keeps the history that it had."

        let overwritingCuts =
            rule
                "writes/overwriting-cuts"
                "`zero_`, `fill_` and `copy_` cut the old history: its gradient is zeros, and that of `copy_` goes to the source."
                "The gradient goes on to what was there before."

        let theModeForgives =
            rule "writes/the-mode-forgives" "Under `no_grad` leaves and views of leaves can be written to." "They cannot."

        let unrecordedChangesNoHistory =
            rule
                "writes/unrecorded-changes-no-history"
                "A write under `no_grad` changes elements and version, but no history."
                "The written tensor becomes a constant."

        let returnsItself =
            rule
                "writes/returns-itself"
                "What a function in place returns is the tensor that was written to."
                "It is a new tensor of the same value."

        let noPlaceTwice =
            rule
                "writes/no-place-twice"
                "A tensor of which several elements share a place in memory, as an expanded one, cannot be written to; that is an error."
                "The last of them stays."

        let oneValueMayBeWrittenTwice =
            rule
                "writes/one-value-may-be-written-twice"
                "`zero_` and `fill_` with a number may write to elements that share a place, since all get the same."
                "They are refused like other writes."

        let sourceAndTargetDoNotOverlap =
            rule
                "writes/source-and-target-do-not-overlap"
                "A write that reads memory which overlaps in part with what it writes is an error."
                "It is as if the source had been copied first."

        let theVerySameElementsMayBeRead =
            rule
                "writes/the-very-same-elements-may-be-read"
                "A write may read exactly the elements that it writes, or others of the same memory."
                "All sources in the same memory are refused."

        let integersTakeNoFloats =
            rule
                "writes/integers-take-no-floats"
                "A float result cannot be written into an integer or boolean tensor; that is an error."
                "It is truncated."

        let wholeItemsAreTheTensorItself =
            rule
                "writes/whole-items-are-the-tensor-itself"
                "An empty index, and slices that write out a whole dimension as in `x[0:2] = v`, write to the tensor itself; `x[:] = v` writes to a view. On a leaf these are two errors."
                "It is a view in every case."

    /// Modes of recording.
    module Modes =
        let noGradRecordsNothing =
            rule "modes/no-grad-records-nothing" "Nothing that is computed under `no_grad` is recorded." "It is recorded as outside."

        let enableGradRecords = rule "modes/enable-grad-records" "`enable_grad` inside `no_grad` records again." "It does nothing."

        let blocksEnd = rule "modes/blocks-end" "After a block the mode is what it was before it." "The mode stays."

        let inferenceRecordsNothing =
            rule
                "modes/inference-records-nothing"
                "Nothing that is computed in inference mode is recorded, and what is made there stays apart: it has no versions."
                "Inference mode does nothing."

        let inferenceIsStronger =
            rule "modes/inference-is-stronger" "`enable_grad` inside inference mode records nothing." "It records."

        let inferenceIsNotKept =
            rule
                "modes/inference-is-not-kept"
                "A tensor made in inference mode cannot be kept for a derivative; that is an error."
                "It is kept."

        let inferenceIsReadOnlyOutside =
            rule
                "modes/inference-is-read-only-outside"
                "A tensor made in inference mode cannot be written to outside of it; that is an error."
                "It is written to."

        let inferenceErrorsComeLate =
            rule
                "modes/inference-errors-come-late"
                "The error about a write to a tensor of inference mode comes after the write: the elements have changed."
                "The tensor is as it was."

        let inferenceNeverRequires =
            rule
                "modes/inference-never-requires"
                "A tensor made in inference mode cannot be asked to require a gradient outside of it; that is an error."
                "It can."

        let inferenceLeavesHistoriesAlone =
            rule "modes/inference-leaves-histories-alone" "`detach_` in inference mode leaves the tensor's history alone." "It cuts it."

        let backwardHasItsOwnMode =
            rule
                "modes/backward-has-its-own-mode"
                "A backward records under `create_graph` and only then, whatever the mode is around it."
                "Inside `no_grad` it records nothing."

    /// Hooks on tensors.
    module Hooks =
        let replaceTheGradient =
            rule
                "hooks/replace-the-gradient"
                "What a hook returns takes the place of the gradient for all that follows."
                "It is thrown away."

        let removedAreNotRun = rule "hooks/removed-are-not-run" "A removed hook is run no more." "It goes on."

        let allAreRun =
            rule
                "hooks/all-are-run"
                "Several hooks of one tensor all run, each given what the one before it returned."
                "Only the first one runs."

        let stayWithTheirHistory =
            rule
                "hooks/stay-with-their-history"
                "A hook registered before a write in place stays with the tensor as it was; one registered after it belongs to the tensor as it is."
                "Hooks move with the tensor to its new history."

        let beforeRetained =
            rule "hooks/before-retained" "A retained gradient is what the tensor's hooks have made of it." "It is what arrived."

        let runInGrad =
            rule "hooks/run-in-grad" "`grad` runs the hooks of the tensors that it differentiates." "It returns what arrived."

        let passedIsCapturedBefore =
            rule
                "hooks/passed-is-captured-before"
                "A tensor that `grad` differentiates and also passes through, on the way to another one, is returned as it was before its hooks."
                "It is returned as its hooks have made it."

        let aSingleRootIsEntered =
            rule
                "hooks/a-single-root-is-entered"
                "The hooks of a single root, and its retained gradient, are served even where its gradient leads to nothing that is wanted."
                "They are not."

        let areDifferentiated =
            rule
                "hooks/are-differentiated"
                "Under `create_graph` what a hook does is recorded, and differentiated with the rest."
                "The hook's result is a constant."

        let onlyWhatRequiresIsHooked =
            rule
                "hooks/only-what-requires-is-hooked"
                "A hook on a tensor that requires no gradient is an error."
                "Nothing happens, and nothing is raised."

    /// What errors say.
    module Errors =
        let pathsLeadIntoBlocks =
            rule
                "errors/paths-lead-into-blocks"
                "Where a program ended in an error inside of blocks, the place leads into them."
                "The place is that of the outermost block."

        let modifiedNamesTheTensor =
            rule
                "errors/modified-names-the-tensor"
                "The error about a kept tensor that was written to names its type, shape, both versions and, where it has a history, the result of which node it is."
                "It only says that a variable was modified."

        let rootsAreNumbered =
            rule
                "errors/roots-are-numbered"
                "An error about one of several roots, or about its gradient, says which."
                "It speaks of the first one."

        let readOnlyViewsSayWhy =
            rule
                "errors/read-only-views-say-why"
                "The error about a view that may not be written to says which result of which node it is, and whether it was itself written to or its base."
                "It speaks of a view."

        let nullIsNotUsed =
            rule "errors/null-is-not-used" "A null gradient cannot be used as a tensor; that is an error." "The step is passed over."

        let refusedArguments =
            rule
                "errors/refused-arguments"
                "An argument that an operator has no derivative for is refused if it requires a gradient."
                "It counts as a constant."

    /// All rules, in order.
    let all: AutogradRule list =
        [ Leaves.oneArgumentIsEnough
          Leaves.integersNeverRequire
          Leaves.aLeafHasNoHistory
          Leaves.onlyLeavesKeepGradients
          Leaves.onlyFloatsMayRequire
          Leaves.aComputedTensorStaysRequired
          Leaves.switchedOffAccumulatesNothing
          Leaves.writtenIntoTheGraph
          Leaves.theFlagIgnoresTheMode
          Leaves.detachHasNoHistory
          Leaves.detachedInPlaceEndsThere
          Leaves.viewsAreNotDetachedInPlace
          Leaves.dataHasNoHistory
          Gradients.backwardsAccumulate
          Gradients.pathsAdd
          Gradients.addsInPlace
          Gradients.createGraphAddsOutOfPlace
          Gradients.neverShared
          Gradients.broadcastIsSummed
          Gradients.ownDtype
          Gradients.zeroIsNotNull
          Gradients.nullIsNotZero
          Gradients.givenIsCast
          Gradients.rootsAdd
          Gradients.onlyWhatIsWanted
          Gradients.wantedMayBeComputed
          Gradients.gradLeavesLeavesAlone
          Gradients.getGradIsTheGradient
          Gradients.zeroGradForgets
          Gradients.zeroedInPlaceStays
          Gradients.zeroedInPlaceIsDetached
          Gradients.retainedIsKept
          Gradients.retainedAccumulates
          Gradients.retainedIsOfTheLatest
          Gradients.onlyWhatRequiresIsRetained
          Gradients.onlyOneElementIsImplicit
          Gradients.givenHasTheShape
          Gradients.aRootHasAHistory
          Gradients.unusedIsAnError
          Gradients.differentiatedRequires
          Gradients.somethingIsWanted
          Gradients.everyRootIsMatched
          Graph.freedAfterUse
          Graph.onlyWhatKeptIsFreed
          Graph.numbersAreKept
          Graph.retainGraphKeeps
          Graph.createGraphRetains
          Graph.onlyWhatWasPassedIsFreed
          Graph.createGraphRecords
          Graph.gradientsAreConstants
          Versions.writesCount
          Versions.keptIsChecked
          Versions.onlyWhatIsKeptIsChecked
          Versions.keptOnlyWhereNeeded
          Versions.viewsShareTheCounter
          Versions.detachSharesTheCounter
          Versions.dataHasItsOwnCounter
          Versions.writesCountInEveryMode
          Versions.accumulationCounts
          Versions.aWriteKeepsWhatWasThere
          Versions.aWriteKeepsItsResult
          Versions.keptIsNotDetached
          Versions.geometryInPlaceCounts
          Versions.vectorTimesMatrixStartsAtOne
          Versions.runningStatisticsMoveUnseen
          Views.shareMemory
          Views.nothingToDoIsTheTensorItself
          Views.reshapeCopies
          Views.aWriteRewritesTheBase
          Views.historiesAreMadeAnew
          Views.chainsHaveOneBase
          Views.requireWithTheirBase
          Views.oneOfSeveralIsReadOnly
          Views.oneOfSeveralEndsWithAWrite
          Views.readOnlyIsInherited
          Views.madeInNoGradIsReadOnly
          Views.madeInInferenceIsReadOnly
          Views.madeInNoGradHasNoHistory
          Views.ofALeafIsReadOnly
          Views.detachedIsNoView
          Views.viewsInPlaceKeepTheirBase
          Writes.leavesAreReadOnly
          Writes.aWriteIsHistory
          Writes.overwritingCuts
          Writes.theModeForgives
          Writes.unrecordedChangesNoHistory
          Writes.returnsItself
          Writes.noPlaceTwice
          Writes.oneValueMayBeWrittenTwice
          Writes.sourceAndTargetDoNotOverlap
          Writes.theVerySameElementsMayBeRead
          Writes.integersTakeNoFloats
          Writes.wholeItemsAreTheTensorItself
          Modes.noGradRecordsNothing
          Modes.enableGradRecords
          Modes.blocksEnd
          Modes.inferenceRecordsNothing
          Modes.inferenceIsStronger
          Modes.inferenceIsNotKept
          Modes.inferenceIsReadOnlyOutside
          Modes.inferenceErrorsComeLate
          Modes.inferenceNeverRequires
          Modes.inferenceLeavesHistoriesAlone
          Modes.backwardHasItsOwnMode
          Hooks.replaceTheGradient
          Hooks.removedAreNotRun
          Hooks.allAreRun
          Hooks.stayWithTheirHistory
          Hooks.beforeRetained
          Hooks.runInGrad
          Hooks.passedIsCapturedBefore
          Hooks.aSingleRootIsEntered
          Hooks.areDifferentiated
          Hooks.onlyWhatRequiresIsHooked
          Errors.pathsLeadIntoBlocks
          Errors.modifiedNamesTheTensor
          Errors.rootsAreNumbered
          Errors.readOnlyViewsSayWhy
          Errors.nullIsNotUsed
          Errors.refusedArguments ]
