// Package embedded runs the PostgreSQL server a program needs when nobody gave
// it one: it finds (or fetches) the binaries of PostgreSQL 14 to 18, makes a
// cluster in a state directory, and starts it or adopts the one that is
// already running. Every process that opens the same state directory shares one
// server; when the last of them is gone, however it went, the server is stopped
// cleanly.
//
// The cluster is durable unless Options.Ephemeral says otherwise, listens on
// loopback only, and asks for a password that is made with it. A data directory
// is never deleted or replaced: whatever does not fit it is an error.
//
// The package works on Linux and macOS, as root (the server then runs as another
// account) and as an ordinary user.
package embedded

import (
	"io"
	"time"
)

// Owner is the role that owns the cluster: a superuser, and the user of every
// URL this package returns.
const Owner = "crmgraph_owner"

// DefaultPort is the port tried first when Options.Port is zero.
const DefaultPort = 54329

// Options say which server to open. The zero value of every field but App is
// usable.
type Options struct {
	// App names the default state and cache directories, e.g. "crmgraph".
	App string
	// StateDir holds the cluster in its subdirectory "postgres". Empty: what
	// the function StateDir answers. Processes with the same StateDir share one
	// server, and the options of the one that started it hold.
	StateDir string
	// CacheDir holds fetched binaries. Empty: the user's cache directory, or
	// /var/cache for root.
	CacheDir string
	// BinDir is a directory with initdb and postgres. Empty: search this
	// machine, then fetch.
	BinDir string
	// Account is the account the server runs as when this process is root's.
	// Empty: "postgres", else "nobody". An existing cluster keeps its account.
	Account string
	// Port is the TCP port to prefer; another one is taken when it is busy.
	Port int
	// Ephemeral gives up durability for speed: for data a test can make again.
	Ephemeral bool
	// SharedBuffers is the server's cache of pages, as Postgres spells sizes, "1GB". Empty: 128 MB, enough
	// to try things out.
	SharedBuffers string
	// Linger is how long the server outlives its last user. With zero, Close
	// of the last user stops it before it returns.
	Linger time.Duration
	// Offline forbids fetching binaries.
	Offline bool
	// Log receives progress for people, one line each. Nil: discarded.
	Log io.Writer
}

func (o Options) withDefaults() Options {
	if o.Port == 0 {
		o.Port = DefaultPort
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return o
}
