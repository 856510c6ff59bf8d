package sqlstore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql"
	"fmt"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/webhook"
)

// minSealKey is the length in bytes of the shortest key that seals.
const minSealKey = 32

// A sealer seals and opens the secrets of endpoints by AES-256 in Galois/Counter Mode, with a
// random nonce each. What is sealed belongs to one ID and one label.
type sealer struct {
	first string // label of the key that seals; empty: clear text
	aeads map[string]cipher.AEAD
}

func newSealer(keys []webhook.Key) (*sealer, error) {
	s := &sealer{aeads: make(map[string]cipher.AEAD)}
	for i, k := range keys {
		refuse := func(fault string) error {
			return fmt.Errorf("%w: key %d with the label %q: %s", ErrSealKeys, i+1, k.Label, fault)
		}
		material := k.Secret.Reveal()
		switch {
		case k.Label == "" || len(k.Label) > limit.Name || !isText(k.Label):
			return nil, refuse(fmt.Sprintf("the label must have 1 to %d bytes of UTF-8 without NUL", limit.Name))
		case s.aeads[k.Label] != nil:
			return nil, refuse("the label is that of an earlier key")
		case len(material) < minSealKey:
			return nil, refuse(fmt.Sprintf("its secret has %d bytes, at least %d are needed", len(material), minSealKey))
		}
		aead, err := newAEAD(material)
		if err != nil {
			return nil, refuse(err.Error())
		}
		if s.aeads[k.Label] = aead; i == 0 {
			s.first = k.Label
		}
	}
	return s, nil
}

// newAEAD derives the key from the material, so that it may have any length.
func newAEAD(material []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, material, nil, "hookhouse endpoint secrets 1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// label is that of the key that seals, and is empty if none does.
func (s *sealer) label() string { return s.first }

// has reports whether what the key with the label has sealed can be opened.
func (s *sealer) has(label string) bool { return label == "" || s.aeads[label] != nil }

// context is what the sealed bytes belong to: those of another endpoint do not open.
func sealContext(id, label string) []byte { return []byte(label + "\x00" + id) }

func (s *sealer) seal(id string, text []byte) []byte {
	if s.first == "" {
		return text
	}
	return s.aeads[s.first].Seal(nil, nil, text, sealContext(id, s.first))
}

func (s *sealer) open(id, label string, sealed []byte) ([]byte, error) {
	if label == "" {
		return sealed, nil
	}
	aead := s.aeads[label]
	if aead == nil {
		return nil, fmt.Errorf("%w: those of endpoint %q were sealed by a key with the label %q, which is not in SealKeys", ErrSealed, id, label)
	}
	text, err := aead.Open(nil, nil, sealed, sealContext(id, label))
	if err != nil {
		return nil, fmt.Errorf("%w: those of endpoint %q are damaged, or the key with the label %q is another one", ErrSealed, id, label)
	}
	return text, nil
}

// resealPage is how many endpoints Reseal reads at a time.
const resealPage = 100

// Reseal seals all secrets with the first of [Store.SealKeys], those in clear text too, and
// returns the number of endpoints that were changed. If there are no SealKeys it makes clear
// text of nothing and the error is [ErrSealKeys]. It may run while endpoints are used and
// changed. When all processes have the first key, and Reseal has succeeded after that, no
// other key is needed.
//
// What it replaces is not gone from the disk at once. If that was clear text, or sealed by a
// key that others may have, this is left to do:
//
//   - On SQLite, Reseal sets secure_delete, so that most of the old bytes are overwritten.
//     Some remain in pages that rows have moved from, and what earlier changes and deletions
//     of endpoints have left in free pages. "VACUUM" removes them, and then
//     "PRAGMA wal_checkpoint(TRUNCATE)" removes the copies in the write-ahead log. VACUUM
//     needs as much free room as the database has, and nothing else can write meanwhile.
//   - On PostgreSQL, the old versions of the rows remain until "VACUUM FULL
//     hookhouse_endpoints" has written the table anew; a plain VACUUM does not overwrite them.
//     They are in its write-ahead log too, in archives of that, and on replicas.
//   - Backups, snapshots and file systems that keep old blocks have what they had. If they can
//     have been read, change the secrets of the endpoints: see [publish.Publisher.Rotate].
func (s *Store) Reseal(ctx context.Context) (resealed int, err error) {
	sealer, err := s.sealer()
	if err == nil && sealer.label() == "" {
		err = fmt.Errorf("%w: there are none", ErrSealKeys)
	}
	for after := int64(0); err == nil; {
		var rows []row
		var n int
		if rows, err = s.page(ctx, "seq > @after AND sealed_by <> @label", args{"after": after, "label": sealer.label()}, resealPage); err != nil || len(rows) == 0 {
			break
		}
		after = rows[len(rows)-1].seq
		err = s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			return s.overwriting(ctx, tx, func() error {
				n, err = s.resealRows(ctx, tx, sealer, rows)
				return err
			})
		})
		if err == nil {
			resealed += n
		}
	}
	return resealed, err
}

// resealRows returns how many of the rows had the secrets that they have here. Another one was
// written by an Update, which seals too.
func (s *Store) resealRows(ctx context.Context, tx *sql.Tx, sealer *sealer, rows []row) (n int, err error) {
	for _, r := range rows {
		text, err := sealer.open(r.id, r.sealedBy, r.secrets)
		if err != nil {
			return 0, err
		}
		changed, err := s.exec(ctx, tx, "reseal", args{"seq": r.seq, "was": r.secrets, "sealed_by": sealer.label(), "secrets": sealer.seal(r.id, text)})
		if err != nil {
			return 0, err
		}
		n += int(changed)
	}
	return n, nil
}
