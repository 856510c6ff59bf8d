// Package browsertest has the tests of pages in a browser, headless Chromium: of the guestbook,
// where it does what a visitor and the owner of a webhook do, and of the inspector, where it
// does what the person on call does. It is a module of its own, so that no other one requires
// a driver of browsers. The command screenshots takes pictures of the inspector.
//
// Without Chromium, or without axe-core for the checks of accessibility, the tests say what
// they leave out; with CI=true that is a failure. To get both:
//
//	apt-get install chromium
//	npm install --no-save --prefix internal/browsertest axe-core@4.14.1
package browsertest
