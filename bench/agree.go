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

// compare asks both sides the same and returns an error when they do not say the same.
func compare(ctx context.Context, both *sides, toServer, toLimit [][]byte) (err error) {
	server, err := dial(ctx, both.server.address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.conn.Close()) }()
	limit, err := dial(ctx, both.limit.address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, limit.conn.Close()) }()
	for i := range min(checked, len(toServer)) {
		one, err := server.do(toServer[i])
		if err != nil {
			return fmt.Errorf("the server: %w", err)
		}
		other, err := limit.do(toLimit[i])
		if err != nil {
			return fmt.Errorf("the limit: %w", err)
		}
		if err := sameData(one, other); err != nil {
			return err
		}
	}
	return nil
}

// sameData returns an error unless two answers hold the same data, whatever the order of
// their members and the spelling of their instants.
func sameData(server, limit []byte) error {
	one, err := canonical(server)
	if err != nil {
		return err
	}
	other, err := canonical(limit)
	if err != nil {
		return err
	}
	if !bytes.Equal(one, other) {
		return fmt.Errorf("the answers differ:\nserver %s\nlimit  %s", one, other)
	}
	return nil
}

// canonical is an answer's data with members in alphabetical order and instants in UTC.
func canonical(answer []byte) ([]byte, error) {
	var parsed struct{ Data map[string]any }
	if err := json.Unmarshal(answer, &parsed); err != nil {
		return nil, err
	}
	for _, value := range parsed.Data {
		if value == nil {
			return nil, fmt.Errorf("nothing was found: %s", answer)
		}
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
