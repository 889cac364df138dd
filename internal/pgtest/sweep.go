package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// testAge is how long a test's database is safe while nobody is connected.
	testAge = time.Hour
	// templateAge is how long a template of another schema is kept; if it turns
	// out to be in use, it is built again.
	templateAge = 24 * time.Hour
)

// testName is a fresh name for a test's database. The time in it is what the
// sweep goes by.
func testName(now time.Time) string {
	return "t_" + stamp(now) + "_" + strings.ToLower(rand.Text())[:12]
}

// stamp writes a time, to the second, as eight hexadecimal digits.
func stamp(t time.Time) string { return fmt.Sprintf("%08x", t.Unix()) }

// sweep drops the databases that killed runs left behind: those of our names
// and our role which are old and not in use. The schema's own template stays,
// and nothing happens while templates are being used.
func (s *server) sweep(ctx context.Context, schema Schema, now time.Time) (err error) {
	unlock, ok, err := s.tryLock(ctx, exclusive, sweepLock)
	if !ok || err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	idle, err := s.names(ctx, `
		SELECT datname FROM pg_database d
		WHERE datname ~ '^(t|tpl)_' AND NOT starts_with(datname, $1)
		  AND pg_get_userbyid(datdba) = current_user
		  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)`, templatePrefix(schema))
	if err != nil {
		return err
	}
	for _, name := range idle {
		if !expired(name, now) {
			continue
		}
		if err := s.discard(ctx, name); err != nil {
			return fmt.Errorf("drop %s: %w", name, err)
		}
	}
	return nil
}

// expired tells whether a name is one of ours and too old to be of a running
// test, or of a schema somebody works with.
func expired(name string, now time.Time) bool {
	return olderThan(testAge, name, now, `^t_([0-9a-f]{8})_[0-9a-z]{12}$`) ||
		olderThan(templateAge, name, now, `^tpl_.*_[0-9a-f]{16}_([0-9a-f]{8})$`)
}

func olderThan(age time.Duration, name string, now time.Time, pattern string) bool {
	match := regexp.MustCompile(pattern).FindStringSubmatch(name)
	if match == nil {
		return false
	}
	made, err := strconv.ParseInt(match[1], 16, 64)
	return err == nil && now.Sub(time.Unix(made, 0)) > age
}

// discard drops a database unless somebody came to use it, or was faster.
func (s *server) discard(ctx context.Context, name string) error {
	const isTemplate = `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)`
	var template bool
	if err := s.conn.QueryRow(ctx, isTemplate, name).Scan(&template); err != nil {
		return err
	}
	if template {
		_, err := s.conn.Exec(ctx, "ALTER DATABASE "+quote(name)+" IS_TEMPLATE false")
		if err != nil {
			return err
		}
	}
	_, err := s.conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name))
	const objectInUse = "55006"
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == objectInUse {
		return nil
	}
	return err
}
