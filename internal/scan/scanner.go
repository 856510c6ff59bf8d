package scan

import "fmt"

// maxDepth is the maximum depth of nested arrays and objects, as in encoding/json.
const maxDepth = 10000

// Scan reads doc and sets out[i] to the value at path i. If doc has no value there,
// because the parent is missing or is not an object, the Kind is Absent. Scan does
// not change or keep doc, but the values alias it.
//
// If Scan returns an error, it wraps [ErrSyntax] or [ErrAmbiguous], and all values
// are zero. Scan panics if the length of out is not Len.
func (p *Paths) Scan(doc []byte, out []Value) error {
	if len(out) != p.size {
		panic(fmt.Sprintf("scan: %d values for %d paths", len(out), p.size))
	}
	clear(out)
	s := scanner{doc: doc}
	if p.names > 64 {
		s.more = make([]uint64, p.names/64)
	}
	if end, ok := s.read(&p.root, out); !ok {
		clear(out)
		return syntaxError(end)
	}
	if s.ambiguous != nil {
		clear(out)
		return ambiguousError(s.ambiguous.path, s.ambiguousAt)
	}
	return nil
}

// A scanner is the state of one Scan. The values are arguments of its methods, not a
// field: as a field they would escape with doc, which they alias, and the caller's
// array would be allocated on the heap.
type scanner struct {
	doc []byte

	// seen and more have one bit for each watched name, seen for the first 64. One
	// bit is enough because a watched object is entered once at most: a second
	// object with its name is ambiguous.
	seen uint64
	more []uint64

	// ambiguous is the first ambiguous name, or nil. Scan returns it only at the
	// end, because a later syntax error has priority.
	ambiguous   *node
	ambiguousAt int
}

// read reads the whole document. If ok is false, end is the offset of the invalid
// byte.
//
// The open arrays and objects on a watched path are always the outermost ones, each
// the parent of the next: at is the node of the innermost of them, and watched is its
// depth. Deeper ones are only validated.
func (s *scanner) read(root *node, out []Value) (end int, ok bool) {
	var (
		doc     = s.doc
		objects [maxDepth/64 + 1]uint64 // bit d is set if an object is open at depth d, not an array
		object  bool                    // whether the innermost is an object
		depth   int
		watched int
		at      *node
		next    = root // the node of the next value, or nil if it is not watched
	)
	i := space(doc, 0)
	for {
		if object {
			if i >= len(doc) || doc[i] != '"' {
				return i, false
			}
			name := i
			if i = text(doc, i+1); i < 0 {
				return ^i, false
			}
			if depth == watched {
				next = s.member(at, name, i)
			}
			if i = space(doc, i); i >= len(doc) || doc[i] != ':' {
				return i, false
			}
			i = space(doc, i+1)
		}

		if i >= len(doc) {
			return i, false
		}
		start, kind := i, Number
		switch c := doc[i]; c {
		case '"':
			kind, i = String, text(doc, i+1)
		case '{', '[':
			if depth == maxDepth {
				return i, false
			}
			depth++
			object = c == '{'
			if object {
				objects[depth/64] |= 1 << (depth % 64)
			} else {
				objects[depth/64] &^= 1 << (depth % 64)
			}
			if next != nil {
				at, watched, next = next, depth, nil
				s.open(at, out, object, start)
			}
			// In ASCII each closing bracket is two above its opening one.
			if i = space(doc, i+1); i >= len(doc) || doc[i] != c+2 {
				continue
			}
		case 't':
			kind, i = Bool, literal(doc, i, "true")
		case 'f':
			kind, i = Bool, literal(doc, i, "false")
		case 'n':
			kind, i = Null, literal(doc, i, "null")
		default:
			i = number(doc, i)
		}
		if i < 0 {
			return ^i, false
		}
		if next != nil {
			if next.slot != 0 {
				out[next.slot-1] = Value{Kind: kind, Raw: doc[start:i:i]}
			}
			next = nil
		}

		for {
			i = space(doc, i)
			if depth == 0 {
				return i, i == len(doc)
			}
			if i == len(doc) {
				return i, false
			}
			c := doc[i]
			if c == ',' {
				i = space(doc, i+1)
				break
			}
			if object && c != '}' || !object && c != ']' {
				return i, false
			}
			i++
			if depth == watched {
				s.close(at, out, i)
				at = at.parent
				watched--
			}
			depth--
			object = objects[depth/64]>>(depth%64)&1 != 0
		}
	}
}

// member returns the node of a name in the watched object n. The name with its quotes
// is doc[start:end]. It returns nil if the name is not watched or is ambiguous.
func (s *scanner) member(n *node, start, end int) *node {
	c, m := n.find(s.doc[start+1 : end-1])
	if c == nil {
		return nil
	}
	word, bit := &s.seen, uint64(1)<<(c.id%64)
	if c.id >= 64 {
		word = &s.more[c.id/64-1]
	}
	if m == exactMatch && *word&bit == 0 {
		*word |= bit
		return c
	}
	if s.ambiguous == nil {
		s.ambiguous, s.ambiguousAt = c, start
	}
	return nil
}

// open sets the value of n to the array or object that begins at start. Until close
// its Raw ends with the document.
func (s *scanner) open(n *node, out []Value, object bool, start int) {
	if n.slot == 0 {
		return
	}
	kind := Array
	if object {
		kind = Object
	}
	out[n.slot-1] = Value{Kind: kind, Raw: s.doc[start:]}
}

// close sets the end of the value of n.
func (s *scanner) close(n *node, out []Value, end int) {
	if n.slot == 0 {
		return
	}
	v := &out[n.slot-1]
	size := len(v.Raw) - (len(s.doc) - end)
	v.Raw = v.Raw[:size:size]
}
