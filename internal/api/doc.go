// Package api has what the clients of the providers' HTTP APIs share: one
// request without redirects, the answer read up to a limit, and the errors of
// both. It knows no provider. A provider keeps its own exported errors and
// passes the one that a function is to return.
//
// # Secrets
//
// A URL, a header or an answer may contain a secret. No error of this package
// contains one of them: [Send] does not add the URL, as an http.Client does, and
// [ReadAll] does not quote what it read. An error of a transport is returned as
// it is, below that of the context.
//
// # Contexts
//
// A transport returns the cause of a canceled context, which can be any error.
// [ContextError] adds the error of the context, so that a caller can compare
// with context.Canceled and context.DeadlineExceeded.
package api
