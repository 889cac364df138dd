package seed

import "strings"

// locale is what a country's people, firms, telephones and cars look like. Telephone
// numbers come from ranges kept free for fiction, or use 555 where a country keeps none.
// In the patterns # is a digit and ? a letter.
type locale struct {
	language string // BCP 47
	currency string // ISO 4217
	first    []string
	last     []string // without names of its own, a country takes common English ones
	trades   []string // what firms do
	forms    []string // of incorporation
	phone    []string
	mobile   []string
	taxID    string
	plates   []registration
}

// registration is a pattern of plates and where they are given out, ISO 3166 with or
// without a subdivision.
type registration struct{ pattern, region string }

func locales() []*locale {
	words := strings.Fields
	return []*locale{{
		language: "de-DE", currency: "EUR",
		first:  words("Jürgen Käthe Sören Björn Anja Lukas Jörg Mareike Günther Annegret Felix Ülkü Hannah Matthias Sabine Zoë"),
		last:   words("Müller Schäfer Weiß Köhler Jäger Böhm Groß Kühn Lindemann Vogt Brandt Hoffmann Öztürk Strauß Petersen Krüger"),
		trades: words("Bau Spedition Gebäudetechnik Gartenbau Catering Elektrotechnik Möbelhaus Pflegedienst"),
		forms:  []string{"GmbH", "AG", "GmbH & Co. KG", "KG"},
		phone:  []string{"+49 30 23125 ###", "+49 221 4710 ###", "+49 89 99998 ###"}, mobile: []string{"+49 171 39200 ##", "+49 176 040690 ##"},
		taxID: "DE#########", plates: []registration{{"B-?? ####", "DE-BE"}, {"HH-?? ####", "DE-HH"}, {"M-?? ####", "DE-BY"}, {"K-?? ####", "DE-NW"}},
	}, {
		language: "de-AT", currency: "EUR",
		first:  words("Leopold Theresia Franz Magdalena Xaver Leonie Josef Valentina"),
		last:   words("Gruber Höfer Pichler Müllner Wögerer Steiner Grünwald Zöchling"),
		trades: words("Transporte Holzbau Installationen Tischlerei"), forms: []string{"GmbH", "OG"},
		phone: []string{"+43 1 555 01##"}, mobile: []string{"+43 660 555 01##"},
		taxID: "ATU########", plates: []registration{{"W-#####?", "AT-9"}, {"I-####??", "AT-7"}, {"S-####??", "AT-5"}},
	}, {
		language: "fr-FR", currency: "EUR",
		first:  words("Amélie Benoît Chloé Étienne Françoise Gaël Hélène Jérôme Léa Noémie René Sébastien Thérèse Loïc"),
		last:   words("Lefèvre Dubois Garçon Bérenger Fournier Noël Chevalier Désiré Rousseau Héraut Mercier Benoît Lemaître"),
		trades: words("Livraison Bâtiment Menuiserie Électricité Restauration Nettoyage"), forms: []string{"SARL", "SAS", "SA"},
		phone: []string{"+33 1 99 00 ## ##", "+33 4 65 71 ## ##"}, mobile: []string{"+33 6 39 98 ## ##"},
		taxID: "FR##########", plates: []registration{{"??-###-??", "FR"}},
	}, {
		language: "en-GB", currency: "GBP",
		trades: []string{"Couriers", "Builders", "Plumbing & Heating", "Landscapes", "Removals"}, forms: []string{"Ltd", "plc", "LLP"},
		phone: []string{"+44 20 7946 0###", "+44 161 496 0###"}, mobile: []string{"+44 7700 900###"},
		taxID: "GB#########", plates: []registration{{"??## ???", "GB"}},
	}, {
		language: "it-IT", currency: "EUR",
		first:  words("Niccolò Giulia Matteo Chiara Alessandro Beatrice Lorenzo Ginevra Raffaele Ludovica"),
		last:   words("Nicolò Bianchi Esposito Ferrari D'Angelo Colombo Moretti Forlì Cantù Gallo"),
		trades: words("Trasporti Costruzioni Impianti Serramenti"), forms: []string{"S.r.l.", "S.p.A."},
		phone: []string{"+39 02 5550 1###"}, mobile: []string{"+39 320 555 01##"},
		taxID: "IT###########", plates: []registration{{"?? ###??", "IT"}},
	}, {
		language: "es-ES", currency: "EUR",
		first:  words("Iñaki Lucía Andrés Begoña Joaquín Inés Ramón Sofía Álvaro Núria"),
		last:   words("García Muñoz Ibáñez Peña Rodríguez Núñez Gutiérrez Castaño Domènech Vázquez"),
		trades: words("Transportes Construcciones Instalaciones Logística"), forms: []string{"S.L.", "S.A."},
		phone: []string{"+34 91 555 01 ##", "+34 93 555 01 ##"}, mobile: []string{"+34 655 501 ###"},
		taxID: "ESB########", plates: []registration{{"#### ???", "ES"}},
	}, {
		language: "nl-NL", currency: "EUR",
		first:  words("Daniël Sanne Joost Maaike Ruben Fleur Thijs Noëlle Sjoerd Femke"),
		last:   []string{"de Vries", "van den Berg", "Bakker", "Visser", "van Dijk", "Mulder", "Coöper", "Smeets"},
		trades: words("Transport Bouw Installatietechniek Hoveniers"), forms: []string{"B.V.", "N.V."},
		phone: []string{"+31 20 555 01##"}, mobile: []string{"+31 6 5550 1###"},
		taxID: "NL#########B01", plates: []registration{{"##-???-#", "NL"}},
	}, {
		language: "sv-SE", currency: "SEK",
		first:  words("Åsa Björn Malin Göran Linnéa Håkan Ebba Sven Östen Frida"),
		last:   words("Åkesson Lindström Sjöberg Nyström Bergqvist Öberg Hägglund Löfgren"),
		trades: words("Åkeri Bygg Elteknik Trädgård"), forms: []string{"AB", "HB"},
		phone: []string{"+46 8 465 004 ##", "+46 31 390 06 ##"}, mobile: []string{"+46 70 174 06 ##"},
		taxID: "SE##########01", plates: []registration{{"??? ###", "SE"}},
	}, {
		language: "pl-PL", currency: "PLN",
		first:  words("Łukasz Małgorzata Paweł Zofia Michał Agnieszka Józef Bożena"),
		last:   words("Wójcik Kamiński Zieliński Woźniak Dąbrowski Łukasik Pająk Wróbel"),
		trades: words("Transport Budownictwo Usługi Meble"), forms: []string{"Sp. z o.o.", "S.A."},
		phone: []string{"+48 22 555 01 ##"}, mobile: []string{"+48 555 010 ###"},
		taxID: "PL##########", plates: []registration{{"W? #####", "PL-14"}, {"K? #####", "PL-12"}, {"P? #####", "PL-30"}},
	}, {
		language: "en-US", currency: "USD",
		trades: []string{"Delivery Services", "Construction", "Landscaping", "HVAC", "Catering"}, forms: []string{"Inc.", "LLC", "Corp."},
		phone:  []string{"+1 202 555 01##", "+1 415 555 01##", "+1 312 555 01##", "+1 617 555 01##"},
		mobile: []string{"+1 646 555 01##", "+1 213 555 01##", "+1 512 555 01##"},
		taxID:  "##-#######", plates: []registration{{"#???###", "US-CA"}, {"???-####", "US-NY"}, {"???-####", "US-TX"}, {"?? #####", "US-IL"}, {"#?? ###", "US-MA"}},
	}}
}

// country returns the locale of a language.
func (g *generator) country(language string) *locale {
	for _, l := range g.places {
		if l.language == language {
			return l
		}
	}
	panic("no locale for " + language)
}
