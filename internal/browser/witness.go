package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// exchange is one POST of the page to the server, and how it was answered.
type exchange struct {
	id            network.RequestID
	path          string
	authorization string
	request       []byte
	status        int64
}

// witness hears what happens in one tab. It keeps complaints about what must
// not happen, and hands out the exchanges with the server.
type witness struct {
	host     string
	answered chan exchange

	mu         sync.Mutex
	open       map[network.RequestID]exchange
	complaints []string
}

// watch starts listening to the tab of ctx; host is the only one its page may
// talk to.
func watch(ctx context.Context, host string) (*witness, error) {
	w := &witness{
		host: host,
		// The listener must never block; a run has some dozens of exchanges.
		answered: make(chan exchange, 1000),
		open:     map[network.RequestID]exchange{},
	}
	return w, chromedp.Listen(ctx, w.observe)
}

// heard returns the complaints so far.
func (w *witness) heard() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.complaints)
}

func (w *witness) observe(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.requested(e)
	case *network.EventResponseReceived:
		if x, known := w.open[e.RequestID]; known {
			x.status = e.Response.Status
			w.open[e.RequestID] = x
		}
	case *network.EventLoadingFinished:
		if x, known := w.open[e.RequestID]; known {
			delete(w.open, e.RequestID)
			w.answered <- x
		}
	case *network.EventLoadingFailed:
		w.complain("request failed: %s %s", e.ErrorText, e.BlockedReason)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			w.complain("console: %s", describe(e.Args...))
		}
	case *runtime.EventExceptionThrown:
		w.complain("exception: %s %s", e.ExceptionDetails.Text, describe(e.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		// Violations of the content security policy arrive here.
		if e.Entry.Level == log.EntryLevelError {
			w.complain("browser: %s %s", e.Entry.Text, e.Entry.URL)
		}
	}
}

func (w *witness) requested(e *network.EventRequestWillBeSent) {
	target, err := url.Parse(e.Request.URL)
	if err != nil {
		w.complain("request to a malformed address: %v", err)
		return
	}
	if target.Scheme == "data" || target.Scheme == "blob" {
		return
	}
	if target.Host != w.host {
		w.complain("request to another host: %s", e.Request.URL)
		return
	}
	if e.Request.Method != http.MethodPost {
		return
	}
	x := exchange{id: e.RequestID, path: target.Path}
	x.authorization, _ = e.Request.Headers["Authorization"].(string)
	for _, part := range e.Request.PostDataEntries {
		x.request = append(x.request, part.Bytes...)
	}
	w.open[e.RequestID] = x
}

func (w *witness) complain(format string, args ...any) {
	w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
}

func describe(objects ...*runtime.RemoteObject) string {
	var words []string
	for _, object := range objects {
		switch {
		case object == nil:
		case object.Description != "":
			words = append(words, object.Description)
		default:
			words = append(words, string(object.Value))
		}
	}
	return strings.Join(words, " ")
}
