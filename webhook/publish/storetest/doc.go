// Package storetest tests whether a [publish.Store] keeps its contract. A type that
// implements Store must pass the tests:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) publish.Store {
//			return openEmpty(t)
//		})
//	}
//
// Each sentence of the contract is a law, and each law is a subtest with the sentence as its
// name: "TestStore/Match_does_not_find_disabled_endpoints". Laws depend on each other as
// little as possible, so that one fault fails one law or a few. The tests of this package
// have a broken store for each law, which fails this law only.
//
// No law depends on time that passes, so Run takes as long as the Store needs for some
// thousands of calls.
package storetest
