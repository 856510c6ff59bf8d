package sqlstore

import "errors"

// The errors of this package. Each error that it returns wraps one of these, one of packages
// publish and sqlinbox, or the database's own. Test with [errors.Is].
var (
	// ErrNotMigrated: the tables are missing or of an earlier version. Call
	// [Store.Migrate] first.
	ErrNotMigrated = errors.New("sqlstore: schema is not migrated: call Store.Migrate")
	// ErrNewerSchema: a later version of this package has migrated the database.
	ErrNewerSchema = errors.New("sqlstore: schema is newer than this program")
	// ErrSealed: the secrets of an endpoint were sealed by a key that is not in
	// [Store.SealKeys], or what is stored is damaged.
	ErrSealed = errors.New("sqlstore: secrets cannot be opened")
	// ErrSealKeys: a key of [Store.SealKeys] cannot seal.
	ErrSealKeys = errors.New("sqlstore: invalid SealKeys")
)
