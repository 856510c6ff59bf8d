// Package service calls the JSON API of an inspector, which a program mounts with package
// webhook/inspect. The documentation of that package describes the API.
//
// What a service answers is not trusted: each read has a limit in bytes and in time, a list
// must be in order, and the texts in errors are quoted. No redirect is followed, so the
// password goes to the host of the URL and to no other.
package service
