package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// checked is how many requests of a workload are compared before it is timed.
const checked = 100

// compare asks every side the same and returns an error when they do not all say the same as
// the first.
func compare(ctx context.Context, w workload, lanes []lane) error {
	var first [][]byte
	for i, l := range lanes {
		said, err := l.answers(ctx, w)
		if err != nil {
			return fmt.Errorf("%s: %w", l.side.name, err)
		}
		if i == 0 {
			first = said
		}
		for n := range said {
			if !bytes.Equal(said[n], first[n]) {
				return fmt.Errorf("the answers differ:\n%s %s\n%s %s", l.side.name, said[n], lanes[0].side.name, first[n])
			}
		}
	}
	return nil
}

// answers are those to the requests that are compared, in canonical form.
func (l *lane) answers(ctx context.Context, w workload) (said [][]byte, err error) {
	c, err := dial(ctx, l.side.process.address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.conn.Close()) }()
	for _, request := range l.requests[:min(checked, len(l.requests))] {
		answer, err := c.do(request)
		if err != nil {
			return nil, err
		}
		one, err := canonical(answer, func(data map[string]any) error {
			if l.side.spell == nil {
				return nil
			}
			return l.side.spell(w, data)
		})
		if err != nil {
			return nil, err
		}
		said = append(said, one)
	}
	return said, nil
}

// canonical is an answer's data, spelt as the server does, with members in alphabetical order
// and instants in UTC.
func canonical(answer []byte, spell func(data map[string]any) error) ([]byte, error) {
	var parsed struct{ Data map[string]any }
	if err := json.Unmarshal(answer, &parsed); err != nil {
		return nil, err
	}
	for _, value := range parsed.Data {
		if value == nil {
			return nil, fmt.Errorf("nothing was found: %s", answer)
		}
	}
	if err := spell(parsed.Data); err != nil {
		return nil, err
	}
	return json.Marshal(inUTC(parsed.Data))
}

func inUTC(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = inUTC(member)
		}
	case []any:
		for i, item := range v {
			v[i] = inUTC(item)
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.UTC()
		}
	}
	return value
}
