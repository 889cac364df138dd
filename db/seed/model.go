package seed

import "strings"

// model is a kind of vehicle as makers register it.
type model struct {
	maker, name string
	wmi         string // the first three characters of its VINs
	// vds are the next five characters of a North American VIN, whose ninth is a check
	// digit; elsewhere the next six.
	vds         string
	first, last int // model years
	trims       []string
}

func cars() []*model {
	words := strings.Fields
	return []*model{
		{"Volkswagen", "Golf", "WVW", "ZZZAUZ", 2013, 2023, words("Trend Life GTI R-Line")},
		{"Volkswagen", "Passat Variant", "WVW", "ZZZ3CZ", 2011, 2022, words("Comfortline Highline")},
		{"Volkswagen", "ID.3", "WVW", "ZZZE1Z", 2020, 2025, words("Pure Pro Pro-S")},
		{"Audi", "A4 Avant", "WAU", "ZZZF4Z", 2016, 2024, words("S-line Advanced")},
		{"Audi", "Q5", "WAU", "ZZZFYZ", 2017, 2025, words("Sport Design")},
		{"BMW", "320d Touring", "WBA", "8K3100", 2012, 2022, words("Advantage Sport M-Sport")},
		{"BMW", "X1", "WBA", "HS3105", 2015, 2024, words("xLine M-Sport")},
		{"Mercedes-Benz", "C 220 d", "WDD", "205004", 2014, 2021, words("Avantgarde Exclusive AMG-Line")},
		{"Opel", "Astra", "W0L", "PD6EK1", 2010, 2021, words("Edition Elegance")},
		{"Škoda", "Octavia Combi", "TMB", "JJ7NE0", 2013, 2024, words("Ambition Style RS")},
		{"SEAT", "León", "VSS", "ZZZ5FZ", 2013, 2023, words("Style FR Cupra")},
		{"Renault", "Mégane", "VF1", "RFB003", 2016, 2023, words("Zen Intens RS")},
		{"Peugeot", "308", "VF3", "LBHZTZ", 2014, 2024, words("Active Allure GT")},
		{"Citroën", "C3", "VF7", "SXHMZ6", 2016, 2024, words("Feel Shine")},
		{"Fiat", "500", "ZFA", "312000", 2008, 2023, words("Pop Lounge Sport")},
		{"Alfa Romeo", "Giulia", "ZAR", "FAEDN7", 2016, 2024, words("Sprint Veloce")},
		{"Volvo", "V60", "YV1", "ZWA8TC", 2011, 2024, words("Momentum Inscription")},
		{"Toyota", "Yaris Hybrid", "JTD", "KABBB3", 2012, 2024, words("Active Style")},
		{"Ford", "Fusion", "3FA", "6P0HD", 2010, 2020, words("S SE Titanium")},
		{"Honda", "Accord", "1HG", "CV1F3", 2008, 2024, words("LX EX-L Touring")},
		{"Toyota", "Corolla", "2T1", "BURHE", 2009, 2019, words("L LE XSE")},
		{"Tesla", "Model 3", "5YJ", "3E1EA", 2017, 2025, words("Standard Long-Range Performance")},
		{"Chevrolet", "Malibu", "1G1", "ZD5ST", 2008, 2024, words("LS LT Premier")},
		{"Nissan", "Sentra", "3N1", "AB7AP", 2008, 2024, words("S SV SR")},
		{"Subaru", "Outback", "4S4", "BSANC", 2010, 2024, words("Premium Limited Touring")},
	}
}

func vans() []*model {
	words := strings.Fields
	return []*model{
		{"Mercedes-Benz", "Sprinter", "WDB", "906633", 2010, 2024, words("314-CDI 316-CDI 519-CDI")},
		{"Volkswagen", "Transporter", "WV1", "ZZZ7HZ", 2010, 2024, words("Kombi Kasten")},
		{"Volkswagen", "Crafter", "WV1", "ZZZSYZ", 2017, 2025, words("30 35 50")},
		{"Ford", "Transit Custom", "WF0", "YXXTTG", 2013, 2024, words("Trend Limited")},
		{"Renault", "Master", "VF1", "MAF4DE", 2011, 2024, words("L2H2 L3H2")},
		{"Iveco", "Daily", "ZCF", "C35A01", 2014, 2025, words("35S 50C 70C")},
		{"MAN", "TGX", "WMA", "06XZZ7", 2012, 2025, words("18.470 26.510")},
		{"Scania", "R 450", "YS2", "R4X200", 2013, 2025, words("Highline Topline")},
		{"Ford", "F-150", "1FT", "EW1EP", 2011, 2025, words("XL XLT Lariat")},
		{"Ram", "ProMaster 2500", "3C6", "TRVDG", 2014, 2025, words("Low-Roof High-Roof")},
	}
}

// northAmerican reports whether the model's VINs carry a check digit.
func (m *model) northAmerican() bool { return len(m.vds) == 5 }
