package scan

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Paths is a set of watched paths. It is immutable after [New] and safe for
// concurrent use. The zero Paths watches nothing.
type Paths struct {
	root  node
	size  int // how many paths
	names int // how many nodes below the root
}

// node is one watched name: a segment that one or more paths go through. The
// root stands for the document itself.
type node struct {
	name     string // as decoded; empty for the root
	path     string // dotted, for errors
	plain    bool   // isPlain(name)
	id       int    // its bit among the names a pass has seen
	slot     int    // 1 + index of the path that ends here, 0 when none does
	parent   *node  // nil for the root
	children []*node

	// heads marks each byte that a child's name, as a document may write it, can
	// begin with. It turns away most names unread.
	heads [256]bool
}

// New returns the set of the given paths, each the dotted names of members, from
// the top of the document down. A path may be the prefix of another.
//
// It panics on an empty path or segment, a segment that is not UTF-8 (no name
// decodes to it), a repeated path, and on two watched names of one object that
// differ only by case (every document that held both would be ambiguous).
func New(paths ...string) *Paths {
	p := &Paths{size: len(paths)}
	for i, path := range paths {
		at := &p.root
		for name := range strings.SplitSeq(path, ".") {
			if name == "" || !utf8.ValidString(name) {
				panic(fmt.Sprintf("scan: path %q has an empty or invalid segment", path))
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

// child returns the node of name below at, new unless an earlier path made it.
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
	at.admit(c)
	return c
}

// admit marks the bytes that c's name can begin with. Escapes and bytes beyond
// ASCII can stand for anything, and a name that is not plain can be folded from
// anything; a plain name written plainly begins with its own letter.
func (n *node) admit(c *node) {
	for b := range n.heads {
		switch b := byte(b); {
		case b == '\\' || b >= utf8.RuneSelf:
			n.heads[b] = true
		case !c.plain || lower(b) == lower(c.name[0]):
			n.heads[b] = true
		}
	}
}

// find returns the child whose name raw, the inside of a JSON string, is, and
// whether it is so exactly or by case alone; nil and unlike when there is none.
func (n *node) find(raw []byte) (*node, likeness) {
	if len(raw) == 0 || !n.heads[raw[0]] {
		return nil, unlike
	}
	for _, c := range n.children {
		if like := compare(raw, c.name, c.plain); like != unlike {
			return c, like
		}
	}
	return nil, unlike
}
