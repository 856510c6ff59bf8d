// Package rules tests the rules of the repository. It has no code except tests:
//
//   - A package imports only what it may import.
//   - A program that requires this module gets few other modules. A package that needs more
//     is a module of its own, which nothing else imports.
//   - The code in the README and in the page for receivers is compiled code.
//   - Each command, flag and link in a document exists.
//   - Each sender has the same files, functions and tests.
//   - Each exported name has a comment, and each package a tour and an example.
//   - Retired names, words and phrases are not used.
//   - Each example builds in a folder of its own.
package rules
