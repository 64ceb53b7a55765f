import { po } from 'gettext-parser';

/**
 * The translations of a .po file, by the text in English.
 *
 * @param {Buffer} file
 */
export function translationsOf(file) {
  const { headers, translations } = po.parse(file, { validation: true });
  const entries = Object.values(translations['']).filter(({ msgid, msgstr }) => msgid !== '' && msgstr[0] !== '');
  return { language: headers['Language'], plurals: headers['Plural-Forms'], entries };
}

/**
 * The script that tells Cockpit the translations: po.LANGUAGE.js beside a page.
 *
 * @param {ReturnType<typeof translationsOf>} translations
 * @param {readonly string[] | undefined} only the texts that are wanted; all of them where it is not given
 */
export function localeScript({ language, plurals, entries }, only) {
  const plural = /plural=([n\d\s?:<>=!&|%()]+);?\s*$/.exec(plurals)?.[1];
  if (plural === undefined)
    throw new Error(`Plural-Forms of ${language}: expected plural=EXPRESSION, found ${plurals}`);
  const wanted = entries.filter(({ msgid }) => only === undefined || only.includes(msgid));
  const texts = wanted.map(({ msgid, msgid_plural: many, msgstr }) => {
    return `${JSON.stringify(msgid)}:${JSON.stringify([many ?? null, ...msgstr])}`;
  });
  const head = `"":{"plural-forms":(n)=>${plural},"language":${JSON.stringify(language)},"language-direction":"ltr"}`;
  return `cockpit.locale({${[head, ...texts].join(',')}});\n`;
}
