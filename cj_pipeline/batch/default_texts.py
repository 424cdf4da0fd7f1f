"""What the judge is told where a school hands over no assignment and no rubric: general, and said to be so."""

ASSIGNMENT = {
    "en": """\
The writing task is not shown. All texts were written by pupils; some may answer different tasks. Compare what the
texts show of their writers' command of the language and of the form, not their subjects.
""",
    "sv": """\
Skrivuppgiften visas inte. Alla texter är skrivna av elever; en del kan svara på olika uppgifter. Jämför vad texterna
visar av skribentens språk och förmåga att bygga en text, inte deras ämnen.
""",
}

RUBRIC = {
    "en": """\
The better text is the one that shows the greater skill in writing. Weigh these together; no single one decides.

- Content: it says something of its own, developed and supported by reasons, examples or details.
- Structure: a reader can follow it. Paragraphs, order and linking serve what it wants to say.
- Language: range and precision of words and sentences, and how well they are controlled. A slip in an ambitious
  sentence weighs less than a text that avoids every difficulty.
- Reader and purpose: tone, form of address and conventions suit the kind of text.
- Spelling and punctuation: as far as they help or hinder reading.

Do not reward an opinion, a subject, neat formatting or mere length.
""",
    "sv": """\
Den bättre texten är den som visar störst skicklighet i att skriva. Väg samman följande; inget avgör ensamt.

- Innehåll: texten säger något eget, utvecklat och underbyggt med skäl, exempel eller detaljer.
- Struktur: en läsare kan följa den. Stycken, ordning och sammanbindning tjänar det texten vill säga.
- Språk: ordens och meningarnas bredd och precision, och hur väl de behärskas. Ett fel i en djärv mening väger mindre
  än en text som undviker varje svårighet.
- Läsare och syfte: ton, tilltal och konventioner passar texttypen.
- Stavning och interpunktion: i den mån de hjälper eller hindrar läsningen.

Belöna inte en åsikt, ett ämne, snygg formatering eller enbart längd.
""",
}
