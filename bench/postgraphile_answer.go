package main

import (
	"fmt"
	"strconv"
	"strings"
)

// object is one of an answer.
type object = map[string]any

// spellPostGraphile brings an answer of PostGraphile into the graph's shape.
func spellPostGraphile(w workload, data object) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("the answer has another shape: %v", broken)
		}
	}()
	switch w.name {
	case "lookup":
		spellCustomer(data["customer"].(object))
	case "view":
		spellView(data["customer"].(object))
	case "page":
		for _, customer := range nodes(data["customers"]) {
			spellRow(customer)
		}
	case "search":
		hits := []any{}
		for _, hit := range nodes(data["search"]) {
			hits = append(hits, spellHit(hit))
		}
		data["search"] = hits
	}
	return nil
}

func spellCustomer(customer object) {
	prefix(customer, "cus")
	number(customer, "number")
}

func spellView(customer object) {
	spellCustomer(customer)
	party := customer["party"].(object)
	prefix(party, "pty")
	for _, contact := range nodes(party["contacts"]) {
		prefix(contact, "con")
		contact["roles"] = contact["roles"].(object)["nodes"]
	}
	for _, vehicle := range liftVehicles(customer, party) {
		prefix(vehicle, "veh")
		vehicle["owner"] = nil
		for _, owned := range nodes(vehicle["owners"]) {
			owner := owned["party"].(object)
			prefix(owner, "pty")
			vehicle["owner"] = owner
		}
		delete(vehicle, "owners")
		for _, warranty := range nodes(vehicle["warranties"]) {
			prefix(warranty, "war")
		}
	}
	account := customer["loyaltyAccount"].(object)
	number(account, "availablePoints")
	for _, entry := range nodes(account["transactions"]) {
		prefix(entry, "ltx")
		number(entry, "points")
		number(entry, "balanceAfter")
	}
}

func spellRow(customer object) {
	spellCustomer(customer)
	for _, vehicle := range liftVehicles(customer, customer["party"].(object)) {
		if vin := vehicle["vin"]; vin != nil {
			vehicle["vin"] = object{"value": vin}
		}
	}
	if account, has := customer["loyaltyAccount"].(object); has {
		number(account, "availablePoints")
	}
}

// liftVehicles moves the vehicles, which hang on the party there, to the customer.
func liftVehicles(customer, party object) []object {
	list, vehicles := []any{}, []object{}
	for _, owned := range nodes(party["owned"]) {
		vehicle := owned["vehicle"].(object)
		list, vehicles = append(list, vehicle), append(vehicles, vehicle)
	}
	delete(party, "owned")
	customer["vehicles"] = object{"nodes": list}
	return vehicles
}

func spellHit(hit object) object {
	var node object
	switch hit["kind"] {
	case "CUSTOMER":
		node = hit["customer"].(object)
		prefix(node, "cus")
		node["__typename"] = "Customer"
	case "PARTY":
		node = hit["party"].(object)
		prefix(node, "pty")
		node["__typename"] = "Party"
	default:
		node = hit["vehicle"].(object)
		prefix(node, "veh")
		node["__typename"] = "Vehicle"
	}
	// Postgres computes a score in single precision.
	score := float64(float32(hit["score"].(float64)))
	return object{"score": score, "matchedField": hit["field"], "matchedText": strings.TrimSpace(hit["matched"].(string)), "node": node}
}

func nodes(connection any) []object {
	list := connection.(object)["nodes"].([]any)
	objects := make([]object, len(list))
	for i, node := range list {
		objects[i] = node.(object)
	}
	return objects
}

// prefix gives an id its type.
func prefix(o object, kind string) { o["id"] = kind + "_" + o["id"].(string) }

// number turns the text of a number into one.
func number(o object, name string) {
	n, err := strconv.ParseFloat(o[name].(string), 64)
	if err != nil {
		panic(err)
	}
	o[name] = n
}
