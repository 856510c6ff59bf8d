// Package git checks out commits for builds. It runs the git program.
//
// A [Store] has one bare repository for each remote, which all branches, tags and builds
// of it share. A checkout fetches what is missing there, makes hard links to its objects in
// the Area of the build, and checks out a repository that borrows them. So a build costs the
// disk only its files, it cannot change the Store, it can read only the repository that it
// builds, and [Store.Collect] may delete objects at any time.
//
// The remote comes from the configuration, never from a payload. Git gets the token in
// its environment, for this remote alone. It reads no settings but those of this package,
// runs no hooks, follows no redirects and fetches no submodules. Only git itself, for the
// fetch, runs as the program's own user: what processes the content of a commit runs as the
// user of the build.
package git
