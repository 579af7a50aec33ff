namespace Verified.Spec
