package seed

import "crmgraph/crm"

// park gives a person up to two vehicles, some of which others had before.
func (d *demo) park(p patron) {
	for range d.within(0, 2) {
		v := d.vehicle(pick(d.generator, d.cars), p.home)
		since := d.owned(v, d.lineage(p)...)
		if d.chance(70) {
			d.insure(v, p.ID, since, d.within(1, 3))
		}
		d.garage = append(d.garage, v)
	}
}

// lineage is one to three owners, nobody twice in a row, the last being p.
func (d *demo) lineage(p patron) []resident {
	owners := []resident{p.resident}
	for range d.within(0, 2) {
		if before := pick(d.generator, d.people); before.ID != owners[0].ID {
			owners = append([]resident{before.resident}, owners...)
		}
	}
	return owners
}

// strays makes the vehicles that are not simply somebody's car.
func (d *demo) strays() {
	for i := range 8 { // nobody's: never sold, or sold to somebody unknown
		p := pick(d.generator, d.people)
		v := d.vehicle(pick(d.generator, d.cars), p.home)
		if i%2 == 0 {
			d.lost(v, p)
		}
	}
	for _, v := range d.garage[:6] { // entered twice, the first entry being retired
		old := d.vehicle(d.cars[0], d.people[0].home)
		old.Make, old.Model, old.Year, old.Trim, old.Status = v.Make, v.Model, v.Year, v.Trim, crm.VehicleInactive
		old.VINNormalised, old.VINEntered = v.VINNormalised, v.VINEntered
		d.lost(old, pick(d.generator, d.people))
	}
	for _, words := range []string{"Box trailer, 750 kg", "Fork lift in hall 2", "Boat trailer with winch"} {
		v := d.vehicle(d.vans[0], d.people[0].home)
		v.VINNormalised, v.VINEntered, v.Plate, v.PlateNormalised, v.PlateRegion = nil, nil, nil, nil, nil
		v.Make, v.Model, v.Trim, v.Description = nil, nil, nil, &words
		d.owned(v, pick(d.generator, d.people).resident)
	}
}

// lost records that p owned the vehicle until some time ago.
func (d *demo) lost(v *crm.Vehicle, p patron) {
	since := d.owned(v, p.resident)
	until := d.between(since, d.today)
	d.associations[len(d.associations)-1].EffectiveTo = &until
}
