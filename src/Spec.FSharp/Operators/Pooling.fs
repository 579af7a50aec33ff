namespace Verified.Spec.Operators
