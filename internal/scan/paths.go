package scan

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Paths are the watched paths of a provider. They cannot be changed, and are safe for
// concurrent use. The zero Paths watches nothing.
type Paths struct {
	root  node
	size  int // number of paths
	names int // number of nodes without the root
}

// A node is a watched name: a segment of one or more paths. The root is the document.
type node struct {
	name     string // decoded; empty for the root
	path     string // dotted, for errors
	plain    bool   // isPlain(name)
	id       int    // its bit in scanner.seen and scanner.more
	slot     int    // 1 + index of the path that ends here, or 0 if none does
	parent   *node  // nil for the root
	children []*node

	// heads[b] is true if the name of a child, as a document can write it, can begin
	// with b. With it find rejects most names without a comparison.
	heads [256]bool
}

// New returns Paths with the given paths. A path consists of the names of members
// from the top of the document, separated by dots. A path can be the prefix of
// another.
//
// New panics in these cases:
//
//   - A path or a segment is empty.
//   - A segment is not UTF-8. No name decodes to it.
//   - A path is repeated.
//   - Two watched names of one object differ only by case. A document with both would
//     be ambiguous.
func New(paths ...string) *Paths {
	p := &Paths{size: len(paths)}
	for i, path := range paths {
		at := &p.root
		for name := range strings.SplitSeq(path, ".") {
			if name == "" || !utf8.ValidString(name) {
				panic(fmt.Sprintf("scan: path %q has a segment that is empty or not UTF-8", path))
			}
			at = p.child(at, name)
		}
		if at.slot != 0 {
			panic(fmt.Sprintf("scan: path %q is repeated", path))
		}
		at.slot = i + 1
	}
	return p
}

// Len returns the number of paths.
func (p *Paths) Len() int { return p.size }

// child returns the child of at with the name, and adds it if there is none.
func (p *Paths) child(at *node, name string) *node {
	for _, c := range at.children {
		if c.name == name {
			return c
		}
		if strings.EqualFold(c.name, name) {
			panic(fmt.Sprintf("scan: watched names %q and %q differ only by case", c.path, name))
		}
	}
	c := &node{name: name, path: name, plain: isPlain(name), id: p.names, parent: at}
	if at.path != "" {
		c.path = at.path + "." + name
	}
	p.names++
	at.children = append(at.children, c)
	at.addHeads(c)
	return c
}

// addHeads sets heads for the bytes with which the name of c can begin. A backslash
// or a byte that is not ASCII can begin any name. Any byte can begin a name that folds
// to one that is not plain. Otherwise the name begins with the first letter of c's, in
// either case.
func (n *node) addHeads(c *node) {
	for b := range n.heads {
		switch b := byte(b); {
		case b == '\\' || b >= utf8.RuneSelf:
			n.heads[b] = true
		case !c.plain || lower(b) == lower(c.name[0]):
			n.heads[b] = true
		}
	}
}

// find returns the child whose name raw matches, or nil, and the match. The argument
// raw is the bytes between the quotes of a JSON string.
func (n *node) find(raw []byte) (*node, match) {
	if len(raw) == 0 || !n.heads[raw[0]] {
		return nil, noMatch
	}
	for _, c := range n.children {
		if m := compare(raw, c.name, c.plain); m != noMatch {
			return c, m
		}
	}
	return nil, noMatch
}
