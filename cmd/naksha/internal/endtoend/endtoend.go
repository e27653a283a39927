// Package endtoend tests the whole platform through its public interfaces: one platform, started once, for all tests of
// the package. It holds no code of the product.
package endtoend
