package gqlhttp

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The media types an answer may have.
const (
	plainJSON    = "application/json"
	responseJSON = "application/graphql-response+json"
	eventStream  = "text/event-stream"
)

// accepted is one range of an Accept header.
type accepted struct {
	media   string
	quality float64
}

// negotiate chooses the answer's media type by the weights of the Accept header, and
// between equals by their order. application/json is what a client gets that leaves
// the choice to us; an event stream must be asked for by name. It reports false when
// nothing on offer is acceptable.
func negotiate(header http.Header) (string, bool) {
	values := header.Values("Accept")
	if len(values) == 0 || len(values) == 1 && values[0] == plainJSON {
		return plainJSON, true
	}
	ranges := acceptedRanges(strings.Join(values, ","))
	slices.SortStableFunc(ranges, func(a, b accepted) int {
		switch {
		case a.quality > b.quality:
			return -1
		case a.quality < b.quality:
			return 1
		default:
			return 0
		}
	})
	for _, r := range ranges {
		for _, offer := range offers(r.media) {
			if r.quality > 0 && !forbidden(ranges, offer) {
				return offer, true
			}
		}
	}
	return plainJSON, false
}

// offers lists what we have within a media range, best first.
func offers(media string) []string {
	switch media {
	case plainJSON, responseJSON, eventStream:
		return []string{media}
	case "*/*", "application/*":
		return []string{plainJSON, responseJSON}
	default:
		return nil
	}
}

// forbidden reports whether the client refuses an offer by name.
func forbidden(ranges []accepted, offer string) bool {
	return slices.Contains(ranges, accepted{offer, 0})
}

// acceptedRanges parses an Accept header and drops what cannot be understood, or
// asks for a character set other than UTF-8.
func acceptedRanges(value string) []accepted {
	var ranges []accepted
	for part := range strings.SplitSeq(value, ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil || !isUTF8(params) {
			continue
		}
		quality := 1.0
		if q, given := params["q"]; given {
			if quality, err = strconv.ParseFloat(q, 64); err != nil || quality < 0 || quality > 1 {
				continue
			}
		}
		ranges = append(ranges, accepted{media, quality})
	}
	return ranges
}

func isUTF8(params map[string]string) bool {
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}
