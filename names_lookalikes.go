package roster

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// isLatinLetter reports whether r is a Latin letter in ordinary use, with or
// without marks.
func isLatinLetter(r rune) bool {
	base := baseLetter(r)
	return 'a' <= base && base <= 'z' || strings.ContainsRune(latinLetters, base)
}

// baseLetter returns r without its marks.
func baseLetter(r rune) rune {
	base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
	return base
}

// passesForLatin reports whether name could be read as a Latin one although it
// is not: each of its letters is Latin, or in lookalikes, or beside Latin
// letters one of the strokes, and not all are Latin (UTS 39, section 4,
// whole-script confusables).
func passesForLatin(name, lookalikes string) bool {
	if isASCII(name) {
		return false
	}
	latin, alike, stroke := false, false, false
	for _, r := range norm.NFD.String(name) {
		switch {
		case unicode.IsMark(r), r < utf8.RuneSelf && !unicode.IsLetter(r):
		case unicode.Is(unicode.Latin, r):
			latin = true
		case strings.ContainsRune(lookalikes, r):
			alike = true
		case strings.ContainsRune(strokes, r):
			stroke = true
		case unicode.In(r, unicode.L, unicode.Nd):
			return false
		}
	}
	return alike && (latin || !stroke) || stroke && latin
}

// strokes lists characters of Japanese and Chinese that read as a dash, a
// slash, an I or an O when all else is Latin. Names in these scripts have
// them, so alone they pass for nothing.
const strokes = "ー一丨丶丿ノ乙エ工ロ口"

// looksLatin lists the letters and digits of other scripts whose shape is that
// of a Latin letter or an ASCII digit, from the file confusables.txt of UTS 39,
// version 15.0, as far as they can stand in a key. For Cherokee, which people
// write in capitals, the capital decides. Without the Cyrillic б and г, which
// are like 6 and r in few fonts and would cost many ordinary names.
const looksLatin = "" +
	"аеорсухѕіјѡѵүһҽӏӕԁԛԝ" + // Cyrillic
	"αγινορσυ" + // Greek
	"ագզհոռսցքօ" + // Armenian
	"ᏻᏼꭰꭱꭲꭵꭹꭺꭻꭼꮁꮃꮇꮋꮍꮐꮒꮓꮞꮟꮢꮤꮥꮩꮪꮮꮯꮲꮶꮷꮾ" + // Cherokee
	"\U00011700\U00011706\U0001170A\U0001170E\U0001170F" + // Ahom
	"\u0627\u0647\u06BE\u06C1\u06D5\u0661\u0665\u06F1\u06F5" + // Arabic
	"ꛟ" + // Bamum
	"০৪৭" + // Bengali
	"ᐯᑌᑭᑯᑲᒍᒪᒿᕁᕼᕽᖇᖯᖴᗅᗞᗪᗰᗷ" + // Canadian Aboriginal
	"\U000102A0\U000102A1\U000102A2\U000102A5\U000102AB\U000102B0\U000102B1\U000102B2\U000102B4\U000102CF" + // Carian
	"ⲅⲟⲣⲥ" + // Coptic
	"\U0001042C\U0001043D\U00010448" + // Deseret
	"०" + // Devanagari
	"\U00010513\U00010516\U00010518\U0001051C\U0001051D\U00010525\U00010526\U00010527" + // Elbasan
	"ሀዐ" + // Ethiopic
	"ყჿ" + // Georgian
	"૦" + // Gujarati
	"੦੧੪" + // Gurmukhi
	"〇" + // Han
	"\u05D5\u05D8\u05DF\u05E1\u05F0" + // Hebrew
	"೦" + // Kannada
	"໐" + // Lao
	"ꓐꓑꓒꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ" + // Lisu
	"\U00010282\U00010286\U00010287\U0001028A\U00010290\U00010292\U00010295\U00010296\U00010297" + // Lycian
	"ഠ൦൭" + // Malayalam
	"\U00016F08\U00016F0A\U00016F16\U00016F28\U00016F35\U00016F3A\U00016F3B\U00016F40\U00016F42\U00016F43" + // Miao
	"ဝ၀" + // Myanmar
	"\u07C0\u07CA" + // Nko
	"\U00010301\U00010302\U00010309\U00010311\U00010315\U00010317\U0001031A" + // Old Italic
	"ଠ୦୨" + // Oriya
	"\U000104EA\U000104F6" + // Osage
	"ᚷᛁᛕᛖ" + // Runic
	"௦" + // Tamil
	"౦" + // Telugu
	"๐" + // Thai
	"ⴸⴹⵏⵔⵕⵝ" + // Tifinagh
	"\U000114D0" + // Tirhuta
	"\U000118C0\U000118C1\U000118C2\U000118C3\U000118C4\U000118C6\U000118C8\U000118CA\U000118CC\U000118D5\U000118D6\U000118D7" + // Warang Citi
	"\U000118D8\U000118DC\U000118E0\U000118E3\U000118E5\U000118E6\U000118E9"

// looksLatinTyped lists the capitals that look Latin, from the same source.
// Keys are in lower case, so this matters only for a name as it was typed.
const looksLatinTyped = "" +
	"ЅІЈАВЕКМНОРСТУХѴҮӀӔԌԜ" + // Cyrillic
	"ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + // Greek
	"ՍՏՕ" + // Armenian
	"ᎠᎡᎢᎥᎩᎪᎫᎬᎳᎷᎻᎽᏀᏂᏃᏎᏏᏒᏔᏕᏙᏚᏞᏟᏢᏦᏧᏮᏳᏴ" + // Cherokee
	"ϨⲎⲒⲔⲘⲚⲞⲢⲤⲦⲨⲬⳊⳌⳐⳒ" + // Coptic
	"\U00010404\U00010415\U0001041B\U00010420" + // Deseret
	"\U000104B4\U000104C2\U000104CE\U000104D2" + // Osage
	"\U000118A0\U000118A2\U000118A3\U000118A4\U000118A6\U000118A9\U000118AC\U000118AE\U000118AF\U000118B2\U000118B5\U000118B8" + // Warang Citi
	"\U000118BB\U000118BC"
