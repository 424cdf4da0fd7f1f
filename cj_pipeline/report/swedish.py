"""Every sentence of the report and the command line in Swedish, by key, and what codes are called."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # headline
    "report": "Rapport från bedömning genom parvisa jämförelser",
    "batch": "omgång {batch}",
    "offline.title": "Provkörning: inga betyg får grundas på den här rapporten",
    "offline.one": (
        "Bedömaren {judges} är en enkel jämförelsemetod som körs lokalt. Den läser inte uppsatser som en mänsklig "
        "bedömare gör; den finns för att visa och pröva förfarandet. Använd inget av dessa betyg eller skalvärden "
        "för en elev."
    ),
    "offline.other": (
        "Bedömarna {judges} är enkla jämförelsemetoder som körs lokalt. De läser inte uppsatser som en mänsklig "
        "bedömare gör; de finns för att visa och pröva förfarandet. Använd inget av dessa betyg eller skalvärden för "
        "en elev."
    ),
    "offline.print": "Provkörning: inga betyg får grundas på den här rapporten",
    "override.one": (
        "En röd kontroll har åsidosatts av en människa: {names}. Det skriftliga skälet står under Kontroller."
    ),
    "override.other": (
        "Röda kontroller har åsidosatts av en människa: {names}. De skriftliga skälen står under Kontroller."
    ),
    "state.graded.all": "Betygsatt: alla {graded} elevuppsatser har ett betyg.",
    "state.graded.some.one": (
        "Betygsatt: {graded} av {pupils} elevuppsatser har ett betyg; {count} måste läsas av en människa."
    ),
    "state.graded.some.other": (
        "Betygsatt: {graded} av {pupils} elevuppsatser har ett betyg; {count} måste läsas av en människa."
    ),
    "state.scored": "Skalvärden utan betyg: {reason}",
    "state.scored.unknown": "Skalvärden utan betyg; tabellerna anger inget skäl.",
    "state.withheld.one": "Betygen hålls inne av kontrollen {gates}: {reason}",
    "state.withheld.other": "Betygen hålls inne av kontrollerna {gates}: {reason}",
    "state.anchors": "Omgången innehåller bara ankaruppsatser: ingen elev betygsätts här.",
    "state.unanswered": "Ingen jämförelse har besvarats: det finns varken skalvärden eller betyg.",
    "contents": "Innehåll",
    "quoted": "”{name}”",
    # the three views
    "views": "Rapportens vyer",
    "overview.title": "Översikt",
    "overview.for": "Resultatet, hur mycket det går att lita på och vad en människa bör göra nu.",
    "psychometrics.title": "Psykometri",
    "psychometrics.for": "Skalan och dess fel, bedömarna, ankaruppsatserna: det som betygen vilar på.",
    "audit.title": "Granskning",
    "audit.for": "Vad som har kontrollerats, köpts och beräknats, så att varje siffra kan följas tillbaka.",
    # grades
    "grades.title": "Betyg",
    "grades.none": "Det finns inga betyg. Uppsatsernas rangordning, med dess osäkerhet, står under Psykometri.",
    "grades.lead": (
        "I intervallet ligger det rätta betyget i fyra fall av fem, om bedömningen håller. Där det omfattar flera "
        "betyg säger betyget ensamt mer än man vet."
    ),
    "grades.chart": "Elevuppsatser per betyg",
    "grades.chart.text": "Stapeldiagram över {pupils} elevuppsatser per betyg: {parts}.",
    "grades.chart.part": "{grade}: {count}",
    "grades.chart.y": "uppsatser",
    "grades.column.range": "troligt intervall, 80 %",
    "grades.column.reread": "läs om?",
    "grades.yes": "ja",
    "grades.rest.one": "{count} uppsats till",
    "grades.rest.other": "{count} uppsatser till",
    # what it must not be used for
    "limits.title": "Vad detta inte får användas till",
    "limits.offline": "Ingenting som rör en elev: bedömningen är en provkörning utan riktig bedömare.",
    "limits.alone": (
        "Inget beslut enbart på denna grund. Ett betyg här är vad jämförelserna gör troligt; läraren, som har sett "
        "mer än en text, bestämmer."
    ),
    "limits.unread": (
        "Ingen publicering innan uppsatserna ovan har lästs om. De som saknar betyg har inget förrän en människa "
        "sätter det."
    ),
    "limits.withheld": "Inga betyg som avläses för hand ur skalvärdena: en kontroll fann att de skulle vilseleda.",
    "limits.order": (
        "Ingen rangordning av elever vilkas intervall överlappar varandra: vem som skrev bäst är inte känt."
    ),
    "limits.scores": (
        "Ingen jämförelse av skalvärden med en annan omgång, ett annat år eller en annan skola: ett skalvärde har "
        "mening bara inom sin egen omgång."
    ),
    "limits.groups": "Inget omdöme om en lärare, en klass eller en grupp elever: en skillnad kan komma från bedömaren.",
    # the scale
    "scale.title": "Skalan",
    "scale.error": "genomsnittligt medelfel",
    "scale.error.note": "logit; från {low} till {high}",
    "scale.separation": "separation",
    "scale.separation.note": "sann spridning delad med dess fel, båda i logit",
    "scale.order": "ordningseffekt",
    "scale.order.note": "logit till fördel för den uppsats som visas först; medelfel {error}",
    "scale.dispersion": "spridningsfaktor φ",
    "scale.dispersion.note": "upprepade par; medelfelen vidgas med dess rot",
    "scale.prior": "priorfördelningens SD",
    "scale.prior.note": "logit; {auto} om den anpassas till data",
    "scale.misfit": "avvikande uppsatser",
    "scale.misfit.note": "infit över {limit}; medianen är {median}",
    "scale.per_essay": "jämförelser per uppsats",
    "scale.per_essay.note": "median; från {low} till {high}",
    "scale.none": "Det finns ingen skala: ingen jämförelse har besvarats.",
    # how far it can be trusted
    "trust.title": "Hur mycket går det att lita på detta?",
    "trust.anchors": (
        "De {n} ankaruppsatserna, var och en betygsatt som om dess betyg vore okänt: {exact} exakt rätt, {adjacent} "
        "inom ett betygssteg."
    ),
    "trust.anchors.one": (
        "Den enda ankaruppsatsen, betygsatt som om dess betyg vore okänt: {exact} exakt rätt, {adjacent} inom ett "
        "betygssteg."
    ),
    "trust.anchors.note": (
        "Detta är den enda uppgift om validitet som en omgång själv bär med sig. Genomsnittligt fel {mae} "
        "betygssteg; kvadratiskt viktad kappa {qwk}, där 1 är perfekt och 0 är vad gissning ger."
    ),
    "trust.anchors.missing": (
        "Ingen ankaruppsats kunde betygsättas som om dess betyg vore okänt. Ingenting i omgången själv visar om "
        "bedömaren har rätt."
    ),
    "trust.anchors.unprojected": "{count} av ankaruppsatserna kunde inte betygsättas så och räknas inte med.",
    "trust.known": (
        "{n} elevuppsatser har ett känt betyg från annat håll. {exact} av betygen här är desamma, {adjacent} är "
        "desamma eller ett betygssteg ifrån."
    ),
    "trust.known.note": (
        "Spearmankorrelationen mellan skalvärde och känt betyg är {score}, mellan de båda betygen {grade}; "
        "kvadratiskt viktad kappa {qwk}; genomsnittligt fel {mae} betygssteg. Kända betyg påverkar aldrig skalan."
    ),
    "trust.known.scores": (
        "{n} elevuppsatser har ett känt betyg från annat håll. Spearmankorrelationen mellan skalvärde och känt betyg "
        "är {score}; 1 vore samma ordning."
    ),
    "fact.essays": "uppsatser",
    "fact.essays.note": "{pupils} elevuppsatser, {anchors} ankaruppsatser",
    "fact.comparisons": "besvarade jämförelser",
    "fact.comparisons.note": "av {planned} planerade; {median} per uppsats (median)",
    "fact.judges.one": "bedömare",
    "fact.judges.other": "bedömare",
    "fact.reliability": "tillförlitlighet (reliabilitet)",
    "fact.reliability.note": "SD²/(SD² + medelvärdet av medelfel²), priorfördelningen anpassad till data",
    "fact.ssr": "SSR (skalans separationsreliabilitet)",
    "fact.ssr.note": "1 − medelvärdet av medelfel²/varians, som No More Marking räknar",
    "fact.money": "förbrukat",
    "fact.money.note": "tak {cap}",
    "fact.money.free": "ingen betald bedömare",
    "trust.how": (
        "Tillförlitlighet och SSR säger hur konsekvent den här bedömaren skulle lägga uppsatserna i samma ordning "
        "igen. De säger inte att ordningen är rätt: en bedömare kan vara konsekvent och ha fel. Om den har rätt "
        "visar sig bara mot betyg som människor har satt, de på ankaruppsatserna ovan, och mot en människas egen "
        "läsning."
    ),
    "trust.one_judge": "Endast en bedömare: ett andra omdöme, av en människa eller en annan bedömare, ingår inte i "
    "dessa siffror.",
    "how": "Så läser du detta",
    # review
    "review.title": "Uppsatser som en människa bör läsa om",
    "review.sentence": (
        "Om en människa läser om de första {share} av listan ({scripts}) sjunker det förväntade antalet felaktiga "
        "betyg från {before} till {after} av {pupils}."
    ),
    "review.scripts.one": "{count} uppsats",
    "review.scripts.other": "{count} uppsatser",
    "review.ungraded.one": "{count} uppsats saknar betyg och måste läsas av en människa i vilket fall som helst.",
    "review.ungraded.other": "{count} uppsatser saknar betyg och måste läsas av en människa i vilket fall som helst.",
    "review.none": "Ingen uppsats sticker ut.",
    "review.nogrades": "Omgången har inga betyg, så något förväntat antal felaktiga betyg kan inte beräknas. {list}",
    "review.nogrades.list": "Dessa uppsatser sticker ut av annat skäl:",
    "review.nogrades.empty": "Ingen uppsats sticker ut av annat skäl.",
    "review.misfit": "omdömena om den stämmer inte med dess plats i rangordningen (infit {infit})",
    "review.noscore": "den har inget skalvärde",
    "review.more.one": "{count} uppsats till med en anmärkning",
    "review.more.other": "{count} uppsatser till med en anmärkning",
    "review.ungraded.title": "Utan betyg",
    "review.first.title": "Mest angeläget att läsa om, i denna ordning",
    "review.rest.one": "{count} uppsats till på listan",
    "review.rest.other": "{count} uppsatser till på listan",
    "review.boundary": "nära en betygsgräns",
    "review.column.wrong": "sannolikhet för att betyget är fel",
    "review.column.wrong.short": "sannolikhet för fel",
    "review.column.range": "intervall",
    "review.column.why": "varför",
    "review.how": (
        "Listan börjar där en omläsning förhindrar mest. Sannolikheten för fel betyg är för varje uppsats bedömarens "
        "egen skattning ur omdömena; om bedömaren har systematiskt fel är det sanna antalet felaktiga betyg större. "
        "Kurvan förutsätter att den som läser om sätter rätt betyg, och den är något för hoppfull: i simuleringar "
        "förhindrades fyra femtedelar eller mer av vad den lovar. Den streckade linjen är vad lika mycket läsning "
        "skulle förhindra i godtycklig ordning."
    ),
    "review.steps.title": "Vad omläsningen ger",
    "review.steps.share": "läs om de första",
    "review.steps.scripts": "uppsatser",
    "review.steps.before": "förväntade felaktiga betyg",
    "review.steps.after": "kvar därefter",
    "review.steps.by_lot": "efter lika många slumpvis valda",
    "review.chart": "Förväntade felaktiga betyg som återstår, efter andelen omlästa uppsatser",
    "review.chart.text": (
        "Linjediagram. Utan omläsning förväntas {before} felaktiga betyg av {pupils}; efter de första {share} "
        "{after}; efter alla inget."
    ),
    "review.chart.x": "omlästa uppsatser, i listans ordning (%)",
    "review.chart.y": "förväntade felaktiga betyg",
    # ranking
    "ranking.title": "Rangordning",
    "ranking.chart": "Skalvärden med osäkerhet, bäst först",
    "ranking.chart.component": "Skalvärden med osäkerhet, bäst först: delmängd {number} av {of}",
    "ranking.chart.x": "skalvärde (logit)",
    "ranking.chart.text": (
        "Intervalldiagram över {count} uppsatser, bäst först, från {best} vid {top} till {worst} vid {bottom} logit. "
        "Var och en har ett 80-procentsintervall och ett 95-procentsintervall. Tabellen nedan har samma siffror."
    ),
    "ranking.key.pupil": "elevuppsats",
    "ranking.key.anchor": "ankaruppsats",
    "ranking.key.80": "80-procentsintervall",
    "ranking.key.95": "95-procentsintervall",
    "ranking.key.cut": "betygsgräns",
    "ranking.components": (
        "Jämförelserna faller isär i {count} delmängder som aldrig har jämförts med varandra. Skalvärden och rang "
        "gäller bara inom en delmängd."
    ),
    "ranking.column.set": "delmängd",
    "ranking.column.rank": "rang",
    "ranking.column.essay": "uppsats",
    "ranking.column.grade": "betyg",
    "ranking.column.range.one": "intervall enligt denna bedömare, 80 %",
    "ranking.column.range.other": "intervall enligt dessa bedömare, 80 %",
    "ranking.column.probabilities": "betygens sannolikheter, {worst} till {best}",
    "ranking.column.score": "skalvärde, logit",
    "ranking.column.se": "medelfel",
    "ranking.column.comparisons": "jämförelser",
    "ranking.column.flag": "anmärkning",
    "ranking.anchor": "ankaruppsats {grade}",
    "ranking.new": "ny",
    "ranking.flag.misfit": "avvikande {infit}",
    "ranking.flag.reread": "läs om",
    "ranking.ungraded": "inget",
    "ranking.how": (
        "Skalvärdet för en uppsats beror enbart på vilka uppsatser den vann och förlorade mot. Där två intervall "
        "till stor del överlappar varandra är ordningen mellan de två inte känd. De små staplarna visar hur "
        "sannolikt varje betyg är, sämsta betyget till vänster; fyllda staplar ligger i 80-procentsintervallet. "
        "Intervallet gäller den bedömning som gjordes här: det säger hur säkert omdömena gör betyget, inte om en "
        "annan bedömare skulle hålla med. Ankaruppsatser visas som de skulle betygsättas om deras eget betyg vore "
        "okänt. En avvikande uppsats har omdömen som motsäger dess plats (infit över {misfit}; 1 är förväntat): läs "
        "den."
    ),
    "ranking.how.scores": (
        "Skalvärdet för en uppsats beror enbart på vilka uppsatser den vann och förlorade mot. Där två intervall "
        "till stor del överlappar varandra är ordningen mellan de två inte känd. Skalvärdena har inga betyg här; ett "
        "skalvärde från en omgång betyder ingenting i en annan. En avvikande uppsats har omdömen som motsäger dess "
        "plats (infit över {misfit}; 1 är förväntat): läs den."
    ),
    "ranking.empty": "Det finns ingen rangordning: ingen jämförelse har besvarats.",
    # anchors
    "anchors.title": "Ankaruppsatser",
    "anchors.none": (
        "Omgången har inga ankaruppsatser som kunde betygsättas. Utan dem finns ingen väg från skalvärden till "
        "betyg, och ingen prövning av bedömaren."
    ),
    "anchors.chart": "Varje ankaruppsats betygsatt som om dess betyg vore okänt",
    "anchors.chart.x": "betyg",
    "anchors.chart.text": (
        "Diagram över {n} ankaruppsatser per betyg. En fyrkant visar det kända betyget, en punkt det betyg uppsatsen "
        "fick utan det: {exact} stämmer, {adjacent} ligger högst ett betygssteg isär."
    ),
    "anchors.key.known": "känt betyg",
    "anchors.key.projected": "betygsatt utan det",
    "anchors.column.known": "känt",
    "anchors.column.projected": "betygsatt utan det",
    "anchors.column.p": "sannolikhet för det kända betyget",
    "anchors.column.residual": "skillnad, betygssteg",
    "anchors.fault": "Ankaruppsatserna kan inte bära betyg: {fault}",
    "anchors.order.plain": "Ankaruppsatsernas ordning: Kendalls tau {tau}, där 1 är betygens ordning.",
    "anchors.order.limit": "Under {limit} vore ordningen osannolik för denna bedömare.",
    "anchors.order.chance": "Slumpvis omfördelade betyg skulle se lika välordnade ut i {chance} av fallen.",
    "anchors.furthest": "Längst från sitt betygs område på skalan: {anchor}, med {deviation} medelfel.",
    "anchors.how": (
        "Ankaruppsatser är uppsatser vilkas betyg människor har enats om i förväg. En ankaruppsats i taget får sitt "
        "betyg dolt, skalan byggs av de andra, och den betygsätts som en elevuppsats. Linjen mellan fyrkant och "
        "punkt är felet. Med få ankaruppsatser flyttar en enda resultatet en hel del."
    ),
    # judges
    "judges.title": "Hur bedömaren arbetade",
    "judges.title.other": "Hur bedömarna arbetade",
    "judges.order": (
        "Av två lika bra uppsatser föredrar {judge} den som visas först i {share} av fallen (95-procentsintervall "
        "{low} till {high}); 50 % är jämnt."
    ),
    "judges.order.point": (
        "Av två lika bra uppsatser föredrar {judge} den som visas först i {share} av fallen; 50 % är jämnt."
    ),
    "judges.order.even": "Det ryms inom vad slumpen förklarar.",
    "judges.order.uneven": "Det är mer än slumpen förklarar; skalvärdena är korrigerade för det.",
    "judges.order.unknown": "Om {judge} föredrar den uppsats som visas först kunde inte mätas.",
    "judges.flips": (
        "När {pairs} bedömdes igen med ombytta platser valdes den andra uppsatsen i {observed}; enligt den anpassade "
        "skalan är {expected} att vänta."
    ),
    "judges.pairs.one": "{count} par",
    "judges.pairs.other": "{count} par",
    "judges.flips.none": "Inget par bedömdes igen med ombytta platser, så hur konsekvent bedömaren är har inte mätts.",
    "judges.ties": "{share} av omdömena är oavgjorda.",
    "judges.ties.none": "Inget omdöme är oavgjort.",
    "judges.unanswered.none": "Varje jämförelse den fick har ett omdöme.",
    "judges.silent.one": "{count} jämförelse saknar omdöme.",
    "judges.silent.other": "{count} jämförelser saknar omdöme.",
    "judges.unanswered.one": "{count} jämförelse saknar omdöme: {reasons}.",
    "judges.unanswered.other": "{count} jämförelser saknar omdöme: {reasons}.",
    "judges.infit": "Infit {infit}: 1 är förväntat; över 1 motsäger omdömena oftare den gemensamma rangordningen.",
    "judges.chart": "Förkärlek för den uppsats som visas först",
    "judges.chart.x": "av två lika bra uppsatser vinner den första (%)",
    "judges.chart.text": "Punkt och 95-procentsintervall per bedömare på en skala från 0 till 100 %: {parts}.",
    "judges.chart.part": "{judge} {share} ({low} till {high})",
    "judges.seats": "Platser i planen: hur mycket oftare en uppsats visas först än sist",
    "judges.seats.x": "gånger först minus gånger sist",
    "judges.seats.y": "uppsatser",
    "judges.seats.text": "Stapeldiagram över {count} uppsatser; skillnaden går från {low} till {high}.",
    "judges.how": (
        "En del bedömare gynnar den första eller den andra uppsatsen oavsett vad som står i den. Planen visar varje "
        "uppsats först ungefär lika ofta som sist, och skalan mäter och tar bort den förkärlek som är kvar. En "
        "bedömare som ändrar sig när platserna byts gissar på de paren; en del av det är att vänta mellan uppsatser "
        "av nästan samma kvalitet."
    ),
    # the judges as a panel
    "panel.split.judges": (
        "Med halva bedömargruppen i taget korrelerar uppsatsernas båda skalvärden {correlation} (median av {splits} "
        "delningar); för alla bedömare tillsammans ger det en tillförlitlighet på {reliability}."
    ),
    "panel.split.comparisons": (
        "Med hälften av jämförelserna i taget korrelerar uppsatsernas båda skalvärden {correlation} (median av "
        "{splits} delningar), en tillförlitlighet på {reliability} för helheten. En enda bedömare håller med sig "
        "själv: det säger ingenting om en andra bedömare."
    ),
    "panel.length.graded": (
        "Av två uppsatser {method} vinner den som är dubbelt så lång i {wins} av fallen ({effect} logit, "
        "95-procentsintervall {low} till {high}, {essays} uppsatser med kända betyg)."
    ),
    "panel.length.association": (
        "Av två uppsatser vinner den som är dubbelt så lång i {wins} av fallen ({effect} logit, 95-procentsintervall "
        "{low} till {high}, {essays} uppsatser). Utan kända betyg går det inte att skilja från att längre uppsatser "
        "är bättre."
    ),
    "panel.length.even": "Det ryms inom vad slumpen förklarar.",
    "panel.length.uneven": "Det är mer än slumpen förklarar; längre uppsatser kan ändå vara de bättre.",
    "panel.method.within_grades": "med samma betyg",
    "panel.method.given_grade": "med motsvarande betyg, längs en rät linje över betygen",
    "panel.method.association": "skalvärdena som de är; grupperna kan verkligen skilja sig åt",
    "panel.method.against_the_other_judges": "denna bedömare mot alla andra",
    "panel.people": (
        "Människor har fällt {votes} omdömen. Modellernas skala ensam förutsäger {predicted} av dem som utser en "
        "vinnare, och skalvärdena enligt enbart människor och enligt enbart modeller korrelerar {correlation}."
    ),
    "panel.people.few": "Människor har fällt {votes} omdömen, för få om uppsatser som också modeller har bedömt.",
    "panel.judges.title": "Bedömarna sida vid sida",
    "panel.judges.more.one": "{count} bedömare till stämmer bättre än dessa.",
    "panel.judges.more.other": "{count} bedömare till stämmer bättre än dessa.",
    "panel.judges.alike": "Varje röst väger lika i skalvärdena, vilken särskiljningsförmåga bedömaren än har.",
    "panel.judges.weighs": "I skalvärdena väger bedömarna efter sin särskiljningsförmåga, enligt manifestet.",
    "panel.column.judge": "bedömare",
    "panel.column.kind": "typ",
    "panel.kind.model": "modell",
    "panel.kind.person": "människa",
    "panel.column.comparisons": "omdömen",
    "panel.column.first": "den första av två lika bra vinner (95-procentsintervall)",
    "panel.column.discrimination": "särskiljningsförmåga (± medelfel)",
    "panel.column.infit": "infit",
    "panel.column.ties": "oavgjorda",
    "panel.column.unanswered": "obesvarade",
    "panel.interval": "{value} ({low} till {high})",
    "panel.plusminus": "{value} ± {error}",
    "panel.agreement.title": "Samma omdöme om de par som båda bedömde",
    "panel.agreement.kappa": "κ {kappa}",
    "panel.people.title": "Där människor och modeller skiljer sig mest",
    "panel.people.essays": "Uppsatser som människor placerar annorlunda än modeller, i logit på modellernas skala",
    "panel.people.share": "människors röster för den ena",
    "panel.people.expected": "förväntat enligt modellernas skala",
    "panel.people.votes": "människors röster",
    "panel.people.score": "enligt människor",
    "panel.models.score": "enligt modeller",
    "panel.column.one": "den ena",
    "panel.column.other": "den andra",
    "panel.column.difference": "skillnad (± medelfel)",
    "panel.groups.title": "Grupper av uppsatser",
    "panel.groups.by": "{group}, enligt {judge}",
    "panel.groups.essays": "{essays} mot {others}",
    "panel.groups.note": (
        "Så många logit högre än de uppsatser den jämförs med värderas gruppen. p-värdet är multiplicerat med "
        "antalet granskade skillnader (Bonferroni); under 0,01 varnar kontrollen ”grupper”."
    ),
    "panel.column.group": "grupp",
    "panel.column.essays": "uppsatser",
    "panel.column.p": "justerat p",
    "panel.column.method": "jämförda",
    "panel.pairs.title": "De mest överraskande omdömena",
    "panel.pairs.wins": "vinster för den ena",
    "panel.pairs.expected": "förväntat",
    "panel.how": (
        "Särskiljningsförmågan säger hur skarpt en bedömare håller isär uppsatser: 1 är bedömargruppens mitt, nära 0 "
        "är att singla slant. Den belönar att man håller med de andra och visar inte vem som har rätt. "
        "Överensstämmelsen räknar de par där båda väljer samma uppsats, eller båda oavgjort; kappa (κ) är vad som "
        "återstår av den utöver slumpen. Listorna börjar med det som är störst i förhållande till sin egen "
        "osäkerhet: läs de uppsatserna först, och där människor och modeller skiljer sig åt, båda uppsatserna. En "
        "skillnad mellan grupper är ännu ingen orättvisa, och ingen skillnad är ännu ingen rättvisa."
    ),
    # checks
    "checks.title": "Kontroller",
    "checks.language": "Vad kontrollerna fann återges på engelska.",
    "checks.summary.clear": "Alla {count} kontroller är godkända.",
    "checks.summary": "{red} röda, {overridden} åsidosatta av en människa, {warned} med varning, {passed} godkända.",
    "checks.none": "Inga kontroller har registrerats.",
    "checks.red": "röd",
    "checks.overridden": "åsidosatt",
    "checks.warned": "varning",
    "checks.passed": "godkänd",
    "checks.kind.structural": "strukturell",
    "checks.kind.gate": "spärr: håller inne betygen när den är röd",
    "checks.kind.advice": "råd",
    "checks.reason": "Åsidosatt med det skriftliga skälet:",
    "checks.passed.title.one": "{count} godkänd kontroll",
    "checks.passed.title.other": "{count} godkända kontroller",
    "checks.how": (
        "En röd spärr håller inne alla betyg tills en människa åsidosätter den vid namn och med ett skäl, som sparas "
        "här. En strukturell kontroll är aldrig röd i en färdig rapport, utom den sista, ”publishable”: den är röd så "
        "länge en spärr är det. En varning stoppar ingenting."
    ),
    # budget
    "path.title": "Vägen dit, våg för våg",
    "path.lead.one": "Omgången bedömdes i en våg om {pairs} par.",
    "path.lead.other": "Omgången bedömdes i {count} vågor, sammanlagt {pairs} par.",
    "path.label.stable": "Den avslutades när skalvärdena var tillräckligt precisa, och nya omdömen följer dem.",
    "path.label.no_signal": "Den avslutades utan signal: skalvärdena är precisa, men nya omdömen följer dem inte.",
    "path.label.budget_exhausted": "Den avslutades när budgeten var förbrukad.",
    "path.label.coverage_exhausted": "Den avslutades när varje par hade bedömts så ofta som det får.",
    "path.label.single_wave_complete": "Varje jämförelse besvarades.",
    "path.label.partial": "Några jämförelser besvarades inte.",
    "path.label.failed_low_success": "Den misslyckades: för få jämförelser besvarades.",
    "path.label.insufficient_essays": "Den hade för få uppsatser att jämföra.",
    "path.chart": "Skalvärdenas precision, tillförlitlighet och förändring per våg",
    "path.chart.text": (
        "Efter {waves} vågor är det genomsnittliga medelfelet {error} logit, tillförlitligheten {reliability} och "
        "den största förändringen av ett skalvärde i den sista vågen {change} logit."
    ),
    "path.chart.x": "våg",
    "path.key.error": "genomsnittligt medelfel, logit",
    "path.key.reliability": "tillförlitlighet på slumpvis dragna par, eller mellan bedömare",
    "path.key.change": "största förändringen av ett skalvärde, logit",
    "path.caption": "Vad skalvärdena var värda efter varje våg",
    "path.column.wave": "Våg",
    "path.column.kind": "Typ",
    "path.column.pairs": "Par",
    "path.column.at_random": "Slumpvis dragna",
    "path.column.comparisons": "Jämförelser hittills",
    "path.column.change": "Största förändringen",
    "path.column.error": "Genomsnittligt medelfel",
    "path.column.reliability": "Tillförlitlighet",
    "path.kind.coverage": "nya par",
    "path.kind.resampling": "bedömda igen",
    "path.how": (
        "Varje våg för samman uppsatser som inte har mötts, de minst bedömda och de mest jämnbördiga först; en del "
        "av den dras utan hänsyn till skalvärden. Bara på den delen, och mellan bedömare, beräknas "
        "tillförlitligheten: par som väljs efter skalvärde får slumpen att se ut som överensstämmelse. Hur mycket "
        "skalvärdena ännu förändras beror på vågens storlek och avgör ingenting, om inte manifestet säger det."
    ),
    "budget.title": "Vad andra mängder jämförelser skulle ge",
    "budget.lead": (
        "Med {per_essay} besvarade jämförelser per uppsats nådde omgången en tillförlitlighet på {reached}. Lika "
        "många förväntas ge {ordinary} med en bedömare som är lika skarp som människor, {sharp} med en mycket skarp."
    ),
    "budget.chart": "Tillförlitlighet efter antal jämförelser per uppsats",
    "budget.chart.text": (
        "Den förväntade tillförlitligheten stiger med antalet jämförelser per uppsats. Vid {per_essay} är den "
        "{ordinary} för en bedömare lika skarp som människor och {sharp} för en mycket skarp; omgången nådde "
        "{reached}."
    ),
    "budget.chart.x": "jämförelser per uppsats",
    "budget.chart.y": "tillförlitlighet",
    "budget.key.reached": "denna omgång",
    "budget.key.ordinary": "förväntat, bedömare lika skarp som människor",
    "budget.key.sharp": "förväntat, mycket skarp bedömare",
    "budget.caption": "Förväntat om bedömaren är lika skarp som människor / mycket skarp",
    "budget.column.per_essay": "Jämförelser per uppsats",
    "budget.column.comparisons": "Jämförelser",
    "budget.column.reliability": "Tillförlitlighet",
    "budget.column.exact": "Exakt betyg",
    "budget.column.adjacent": "Inom ett betygssteg",
    "budget.both": "{ordinary} / {sharp}",
    "budget.here": "denna omgång",
    "budget.how": (
        "Förväntat för uppsatser av normalfördelad kvalitet (SD 1,5 och 2,5 i bedömarens logit) och en bedömare som "
        "följer modellen: det kvadrerade felet för en uppsats är ungefär 1 / (jämförelser × den genomsnittliga "
        "informationen i en). Simulerade planer ligger inom 0,05 från det i tillförlitlighet och inom 0,1 i andelen "
        "exakta betyg. En omgång ovanför den streckade linjen har en skarpare bedömare eller mer varierande "
        "uppsatser; en långt under den heldragna linjen en bedömare som ser föga. Det säger ingenting om huruvida "
        "bedömaren ser det lärare ser."
    ),
    # money
    "money.title": "Pengar",
    "money.sentence": "{spent} förbrukat, {reserved} reserverat för utestående svar.",
    "money.cap": "Omgångens tak är {cap}.",
    "money.nocap": "Omgången har ingen betald bedömare och inget tak.",
    "money.approved": "Godkänt av {who} den {when}, upp till {cap}.",
    "money.approved.unnamed": "Godkänt den {when}, upp till {cap}.",
    "money.unapproved": "Inget godkännande har registrerats; utan en betald bedömare behövs inget.",
    "money.unapproved.paid": "Inget godkännande har registrerats.",
    "money.nojobs": "Inget jobb hos en leverantör har registrerats.",
    "money.jobs": "Jobb hos leverantören",
    "money.more.one": "{count} jobb till, sammanräknat i sista raden",
    "money.more.other": "{count} jobb till, sammanräknade i sista raden",
    "money.column.job": "jobb",
    "money.column.model": "bedömare, leverantör och modell",
    "money.column.state": "status",
    "money.column.items": "frågor",
    "money.column.cost": "kostnad, USD",
    "money.column.submitted": "inlämnat",
    "money.column.ended": "avslutat",
    "money.column.price": "pris från",
    "money.total": "alla jobb",
    # provenance
    "provenance.title": "Var detta kommer ifrån",
    "provenance.revision": "revision",
    "provenance.tops_up": "fyller på den redan bedömda omgången",
    "provenance.ledger": "liggarens version",
    "provenance.made": "rapporten skapad",
    "provenance.mode": "arbetssätt",
    "provenance.ended": "så slutade omgången",
    "provenance.scale": "skala",
    "provenance.scale.value": "{name}: {labels} (sämst till bäst)",
    "provenance.fit": "anpassning",
    "provenance.fit.value": (
        "{comparisons} jämförelser, {iterations} Newtonsteg, gradient {gradient}; priorfördelningens SD {prior} logit "
        "(anpassad till data: {auto}); spridningsfaktor {phi}; ordningseffekt {order} logit"
    ),
    "provenance.fingerprints": "fingeravtryck",
    "provenance.fingerprints.value": "{fingerprints} olika över {judgments} omdömen",
    "provenance.prices": "priser från",
    "provenance.versions": "programversioner",
    "provenance.judge": "bedömare {judge}",
    "provenance.judge.value": "{provider}, {model} tillfrågad, {reported} svarade, högst {tokens} textenheter (token) "
    "i svaret",
    "provenance.judge.silent": "{provider}, {model} tillfrågad, högst {tokens} textenheter (token) i svaret",
    "provenance.judge.offline": "provkörning utan riktig bedömare",
    "provenance.prompt": "Instruktion, som den skickades",
    "provenance.assignment": "Uppgift",
    "provenance.rubric": "Bedömningsanvisning",
    "provenance.empty": "ingen angavs",
    # scripts
    "scripts.title": "Uppsatser",
    "scripts.note": "Elevernas texter är personuppgifter. Förvara den här filen som ni förvarar deras prov.",
    "scripts.words.one": "{count} ord",
    "scripts.words.other": "{count} ord",
    "scripts.back": "tillbaka till betygen",
    "foot": "Skapad av cj_pipeline ur omgångens sparade tabeller. Filen behöver inget nätverk och ber inte om något.",
    # the copy for others than the school
    "public.note": "Offentligt exemplar: uppsatsernas texter, elevgrupperna och personers namn är utelämnade.",
    "public.groups": "Vad som framkom om grupper av elever är utelämnat ur detta exemplar.",
    "public.person": "person {number}",
    # the page over all batches
    "index.title": "Omgångar",
    "index.made": "läget {when}",
    "index.none": "Det finns ingen omgång ännu.",
    "index.person": "Det som behöver en människa",
    "index.person.none": "Ingenting väntar på en människa.",
    "index.all": "Alla omgångar",
    "index.money": "{spent} förbrukat och {reserved} reserverat över {batches}.",
    "index.batches.one": "{count} omgång",
    "index.batches.other": "{count} omgångar",
    "index.column.batch": "omgång",
    "index.column.state": "läge",
    "index.column.essays": "uppsatser",
    "index.column.progress": "klara jobb",
    "index.column.spent": "förbrukat, USD",
    "index.column.reserved": "reserverat, USD",
    "index.column.held": "hindras av",
    "index.column.next": "nästa steg",
    "index.column.reread": "att läsa om",
    "index.progress": "{done} av {jobs}",
    "index.reread.one": "{count} uppsats att läsa om",
    "index.reread.other": "{count} uppsatser att läsa om",
    "index.how": "Sidan skrivs om varje gång en rapport skapas, och av cj report --index. Den visar läget vid den "
    "tid som anges ovan.",
    # experiments on anchors
    "experiment": "Försök med ankaruppsatser",
    "experiment.made": "läget {when}",
    "experiment.variants.one": "{count} variant av samma fråga, ställd om {anchors} ankaruppsatser.",
    "experiment.variants.other": "{count} varianter av samma fråga, ställda om {anchors} ankaruppsatser.",
    "experiment.none": "Ingen variant har fått skalvärden ännu.",
    "experiment.side": "Sida vid sida",
    "experiment.column.variant": "variant",
    "experiment.column.judges": "bedömare",
    "experiment.column.tau": "Kendalls tau",
    "experiment.column.inversions": "omkastningar",
    "experiment.column.zero": "vann aldrig",
    "experiment.column.order": "ordningseffekt, logit",
    "experiment.column.reliability": "tillförlitlighet",
    "experiment.column.answered": "besvarade",
    "experiment.column.cost": "USD",
    "experiment.column.verdict": "mål",
    "experiment.answered": "{answered} av {asked}",
    "experiment.order": "{effect} ± {half}",
    "experiment.met": "nådda",
    "experiment.missed": "inte nådda",
    "experiment.waiting": "utan skalvärden: {why}",
    "experiment.how": (
        "Tau är tau-a mellan skalvärdenas och betygens ordning; lika betyg räknas aldrig som fel. En omkastning är "
        "ett par där ankaruppsatsen med det sämre betyget vann. Ordningseffekten anges med sitt "
        "95-procentsintervall. Tillförlitligheten säger hur konsekvent en bedömare är, inte om den har rätt."
    ),
    "experiment.targets": "Mål och förra körningen",
    "experiment.anchors": "Ankaruppsats för ankaruppsats",
    "experiment.column.anchor": "ankaruppsats",
    "experiment.column.grade": "betyg",
    "experiment.place": "{place} ({rate})",
    "experiment.anchors.how": (
        "Plats efter skalvärde, 1 är bäst, och inom parentes andelen av jämförelserna som ankaruppsatsen vann."
    ),
    "experiment.inversions": "Omkastningar",
    "experiment.inversions.none": "Inget par kastades om.",
    "experiment.column.better": "bättre enligt betyget",
    "experiment.column.worse": "vann ändå",
    "experiment.column.said": "bedömarens skäl",
    "experiment.prompts": "Så frågades i varje variant",
    "experiment.assignment": "Uppgift i {variant}",
    "experiment.rubric": "Bedömningsanvisning i {variant}",
    # terminal
    "terminal.title": "{title} ({batch})",
    "terminal.offline": "PROVKÖRNING ({judges}): inga betyg får grundas på dessa resultat.",
    "terminal.kind.anchor": "ankaruppsats {grade}",
    "terminal.column.kind": "",
    "terminal.column.range": "80-procentsintervall",
    "terminal.column.right": "P(rätt)",
    "terminal.column.se": "medelfel",
    "terminal.column.score": "skalvärde",
    "terminal.caption": (
        "Skalvärden i logit. Intervall och P(rätt) gäller enligt denna bedömare; ankaruppsatser som betygsatta utan "
        "sitt eget betyg."
    ),
    "terminal.caption.other": (
        "Skalvärden i logit. Intervall och P(rätt) gäller enligt dessa bedömare; ankaruppsatser som betygsatta utan "
        "sitt eget betyg."
    ),
    "terminal.known": (
        "Kända betyg för {n} elevuppsatser: {exact} exakt, {adjacent} inom ett betygssteg, kvadratiskt viktad kappa "
        "{qwk}, Spearman {grade} (skalvärde och betyg {score})."
    ),
    "terminal.known.scores": "Kända betyg för {n} elevuppsatser: Spearman mellan skalvärde och betyg {score}.",
    "terminal.anchors": (
        "En ankaruppsats utelämnad i taget: {exact} av {n} exakt, {adjacent} av {n} inom ett betygssteg, "
        "genomsnittligt fel {mae} betygssteg, kvadratiskt viktad kappa {qwk}."
    ),
    "terminal.reread.one": "{count} uppsats bör läsas om av en människa ({ungraded} utan betyg).",
    "terminal.reread.other": "{count} uppsatser bör läsas om av en människa ({ungraded} utan betyg).",
    "terminal.standout.one": "{count} uppsats sticker ut och bör läsas av en människa.",
    "terminal.standout.other": "{count} uppsatser sticker ut och bör läsas av en människa.",
    "terminal.reliability": "Tillförlitlighet {reliability} (SD²/(SD²+medelvärdet av medelfel²)), SSR {ssr} (1 − "
    "medelvärdet av medelfel²/varians), {comparisons} jämförelser.",
}

CODES: Mapping[str, str] = {
    # gates
    "success_rate": "andel besvarade",
    "one_model_per_judge": "en modell per bedömare",
    "anchors_in_order": "ankaruppsatserna i ordning",
    "ungraded_share": "andel utan betyg",
    # jobs
    "scheduled": "inplanerat",
    "running": "pågår",
    "completed": "klart",
    "failed": "misslyckat",
    "expired": "utgånget",
    "cancelled": "avbrutet",
    "unknown": "okänt",
    # why there is no verdict
    "failure": "misslyckat",
    "rate_limited": "avvisat: för många anrop",
    "server_error": "fel hos leverantören",
    "missing_result": "svar saknas",
    "unreadable_result": "oläsligt svar",
    "conflicting_results": "motstridiga svar",
    "truncated": "avkortat svar",
    "empty": "tomt svar",
    "refused": "vägran",
    "filtered": "bortfiltrerat",
    "invalid_verdict": "ogiltigt omdöme",
    "invalid_request": "ogiltig fråga",
    "credit_exhausted": "tillgodohavandet slut",
    "enqueued_limit": "leverantörens kö full",
    "job_failed": "jobbet misslyckades",
    "job_refused": "jobbet avvisades",
    "results_gone": "svaren raderade",
    "uncertain": "ovisst",
    # anchor alignment
    "anchors_aligned": "skalvärdena följer betygen",
    "few_inversions": "få omkastningar",
    "every_anchor_wins": "varje ankaruppsats vinner",
    "no_regression": "ingen försämring",
    # states of a batch
    "new": "ny",
    "broken": "felaktig",
    "changed": "ändrad",
    "approval wanted": "väntar på godkännande",
    "planned": "planerad",
    "answered": "besvarad",
    "scored": "har skalvärden",
    "graded": "betygsatt",
    "withheld": "betygen hålls inne",
    # what waits for a person
    "job unknown": "jobb med ovisst utfall",
    "job not listed": "jobbet finns inte i listan",
    "near expiry": "nära tidsgränsen",
    "job refused": "jobbet avvisades",
    "over cap": "över taket",
    "account on hold": "kontot är stoppat",
    "gate red": "röd spärr",
}
