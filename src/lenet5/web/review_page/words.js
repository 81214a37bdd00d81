// Every word of the page, English and Chinese. A test holds it complete.
export const TEXT = {
  title: ["Fields to look at", "待核对字段"],
  language: ["中文", "English"],
  count: ["{decided} of {items} decided", "已核对 {decided} / {items}"],
  table: ["Table with corrections (CSV)", "含更正的数据表（CSV）"],
  where: ["page {page} of {file}", "{file} 第 {page} 页"],
  cropLabel: ["Field {field} as it was scanned", "字段 {field} 的扫描图像"],
  sheetLabel: ["The whole sheet, field {field} marked", "整页，已标出字段 {field}"],
  sheet: ["The whole sheet: press to enlarge", "整页：点按可放大"],
  sheetSmall: ["The whole sheet: press to make it small", "整页：点按可缩小"],
  ask: ["What stands here?", "这里写的是什么？"],
  accept: ["Accept", "接受"],
  save: ["Save", "保存"],
  saveEmpty: ["Save as empty", "存为空"],
  saveDespite: ["Save all the same", "仍然保存"],
  keepTheirs: ["Keep theirs", "保留对方的"],
  replace: ["Replace by mine", "用我的替换"],
  skip: ["Skip", "跳过"],
  back: ["Back", "返回"],
  texts: ["Best texts", "候选文本"],
  nothing: ["(nothing)", "（空）"],
  keys: ["Arrow up and down choose among the best texts; Esc brings back what was read.", "上下方向键在候选文本中选择；Esc 恢复识别结果。"],
  decidedAs: ["Decided: {text}. Read: {read}.", "已定为：{text}。识别结果：{read}。"],
  spoken: ["Field {field}, page {page}. Read: {text}, {percent}. {reasons}", "字段 {field}，第 {page} 页。识别结果：{text}，{percent}。{reasons}"],
  saved: ["Saved: {text}", "已保存：{text}"],
  conflict: ["Somebody else decided in the meantime: {text}. Yours: {own}.", "其间已有他人定为：{text}。您的：{own}。"],
  gone: ["This field was read again and is doubtful no more.", "该字段已重新识别，不再需要核对。"],
  offline: ["Not saved: the service does not answer. Press Enter to try again.", "未保存：服务没有响应。请按 Enter 重试。"],
  failed: ["The service does not answer ({reason}): load the page again.", "服务没有响应（{reason}）：请重新加载页面。"],
  refused: ["Not saved: {reason}", "未保存：{reason}"],
  first: ["This is the first field.", "这是第一个字段。"],
  unreadable: ["{count} files of the folder cannot be read.", "文件夹中有 {count} 个文件无法读取。"],
  ended: ["All fields are decided.", "全部字段已核对完毕。"],
  noFields: ["No field of this folder is doubtful.", "此文件夹中没有待核对的字段。"],
  endedHint: ["lenet5 form table writes the table with the corrections; lenet5 learn learns from them.", "lenet5 form table 写出含更正的数据表；lenet5 learn 从更正中学习。"],
  kinds: ["By kind of field", "按字段统计"],
  form: ["Form", "表格"],
  field: ["Field", "字段"],
  decided: ["Decided", "已核对"],
  reasonEmpty: ["The field is empty", "字段为空"],
  reasonCell: ["A cell is empty", "有一格为空"],
  reasonUnsure: ["Less sure than {value}", "置信度低于 {value}"],
  reasonList: ["Not in the list", "不在列表中"],
  reasonCheck: ["Wrong check digit", "校验位错误"],
  reasonPattern: ["Not as the pattern has it", "不符合格式"],
  reasonUnique: ["Also on page {page} of {file}", "{file} 第 {page} 页也有相同内容"],
  ruleRequired: ["This field must not be empty.", "此字段不得为空。"],
  rulePattern: ["It is not as the pattern has it: {pattern}", "不符合格式：{pattern}"],
  ruleCells: ["{cells} digits belong here.", "此处应为 {cells} 位数字。"],
  ruleChoices: ["It is not in the list.", "不在列表中。"],
  ruleCheck: ["Its check digit is wrong ({check}).", "校验位错误（{check}）。"],
  ruleUnique: ["Page {page} of {file} has the same.", "{file} 第 {page} 页的内容相同。"],
};

let language = 0;

/** Takes a language, "en" or "zh", for all words from now on. */
export function speakIn(name) {
  language = name === "zh" ? 1 : 0;
  document.documentElement.lang = name === "zh" ? "zh-CN" : "en";
}

/** The language in use. */
export function languageInUse() {
  return language === 1 ? "zh" : "en";
}

/** Words of the dictionary with values filled in. */
export function t(key, values = {}) {
  return TEXT[key][language].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A probability as people read it: never 100% nor 0%. */
export function percent(p) {
  if (p > 0.999) return "> 99.9%";
  if (p < 0.001) return "< 0.1%";
  return `${(100 * p).toFixed(p > 0.99 || p < 0.1 ? 1 : 0)}%`;
}

const REASONS = [
  [/^empty$/, "reasonEmpty", []],
  [/^a cell is empty$/, "reasonCell", []],
  [/^less sure than (.+)$/, "reasonUnsure", ["value"]],
  [/^not in the list$/, "reasonList", []],
  [/^wrong check digit$/, "reasonCheck", []],
  [/^not as the pattern has it$/, "reasonPattern", []],
  [/^also on page (\d+) of (.+)$/s, "reasonUnique", ["page", "file"]],
];

/** Why a field is doubtful, in the language in use; as it stands where it is not known. */
export function reasonWords(reason) {
  for (const [pattern, key, names] of REASONS) {
    const match = pattern.exec(reason);
    if (match) return t(key, Object.fromEntries(names.map((name, k) => [name, match[k + 1]])));
  }
  return reason;
}

/** What is wrong with a text, by the rule that it breaks. */
export function ruleWords(broken) {
  if (broken.rule === "required") return t("ruleRequired");
  if (broken.rule === "choices") return t("ruleChoices");
  if (broken.rule === "check") return t("ruleCheck", broken);
  if (broken.rule === "unique") return t("ruleUnique", broken);
  return broken.pattern ? t("rulePattern", broken) : t("ruleCells", broken);
}
