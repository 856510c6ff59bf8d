package dbtest

import (
	"strings"
	"testing"
)

// refuseInserts makes the database refuse the next n inserts as it does when two
// writers store the same thing at the same time.
const refuseInserts = `
CREATE SEQUENCE refused;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('refused') <= TG_ARGV[0]::int THEN
		RAISE unique_violation USING MESSAGE = 'another was quicker';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON hookhouse_deliveries FOR EACH ROW EXECUTE FUNCTION refuse(`

func TestPutRetriesConflictsWithOtherWriters(t *testing.T) {
	in, db := onPostgres(t).open(t) // SQLite has one writer
	run(t, db, refuseInserts+"25)")
	put(t, in, delivery("key"))
}

func TestPutReturnsTheDatabaseErrorOfARefusedInsert(t *testing.T) {
	in, db := onPostgres(t).open(t) // SQLite has one writer
	run(t, db, refuseInserts+"1000000)")
	if err := in.Put(t.Context(), delivery("key")); err == nil || !strings.Contains(err.Error(), "another was quicker") {
		t.Errorf("Put returned %v, want the error of the database", err)
	}
}
