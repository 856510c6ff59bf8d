package scan

import "fmt"

// depthLimit is how deep arrays and objects may nest: the limit of encoding/json.
const depthLimit = 10000

// Scan reads doc once and sets out[i] to what stands at path i. A path whose
// parent is missing or is not an object is Absent. doc is not modified and is
// not kept, but out aliases it.
//
// The error wraps [ErrSyntax] or [ErrAmbiguous], and then all of out is zero: no
// part of a refused document is reported. It panics unless out has Len elements.
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
	if s.clash != nil {
		clear(out)
		return ambiguousError(s.clash.path, s.clashAt)
	}
	return nil
}

// scanner is the state of one pass over one document. The values go from func to
// func beside it: as a field they would escape with doc, whose slices they hold,
// and a caller's array could not stay on the stack.
type scanner struct {
	doc []byte

	// seen and more hold one bit for each watched name, the first 64 in seen. One
	// bit is enough: a watched object is entered once at most, since a second one
	// of its name is a clash.
	seen uint64
	more []uint64

	// clash is the first watched name found ambiguous, nil while none is. It is
	// held back to the end, because a later fault of syntax outranks it.
	clash   *node
	clashAt int
}

// read takes the document from its first byte to its last. When ok is false, end
// is the offset of the byte that is refused.
//
// The open containers that concern a watched path are always the outermost ones,
// each the parent of the next: at is the node of the innermost of them and
// watched its depth. Everything deeper is only held to the grammar.
func (s *scanner) read(root *node, out []Value) (end int, ok bool) {
	var (
		doc     = s.doc
		objects [depthLimit/64 + 1]uint64 // bit d: the container at depth d is an object
		object  bool                      // the same for the innermost one
		depth   int
		watched int
		at      *node
		next    = root // the node of the value to come, nil when it is not watched
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
			if depth == depthLimit {
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
			// Each closing bracket is two above its opening one in ASCII.
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

// member returns the node of the name that stands, quotes included, from start
// to end inside the watched object n. It returns nil for a name not watched, and
// for one that clashes.
func (s *scanner) member(n *node, start, end int) *node {
	c, like := n.find(s.doc[start+1 : end-1])
	if c == nil {
		return nil
	}
	word, bit := &s.seen, uint64(1)<<(c.id%64)
	if c.id >= 64 {
		word = &s.more[c.id/64-1]
	}
	if like == exact && *word&bit == 0 {
		*word |= bit
		return c
	}
	if s.clash == nil {
		s.clash, s.clashAt = c, start
	}
	return nil
}

// open notes that the container of n begins at start. Until close its Raw runs
// to the end of the document.
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

// close notes that the container of n ends before end.
func (s *scanner) close(n *node, out []Value, end int) {
	if n.slot == 0 {
		return
	}
	v := &out[n.slot-1]
	size := len(v.Raw) - (len(s.doc) - end)
	v.Raw = v.Raw[:size:size]
}
