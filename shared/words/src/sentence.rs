//! Parts that join texts to sentences.

texts! {
    AND: " and " | "，且";
    COLON: ": " | "：";
    FULL_STOP: "{text}." | "{text}。";
    // Between the names of a list.
    LIST: ", " | "、";
    // Between the parts of a remark.
    REMARK: ", " | "，";
    SEMICOLON: "; " | "；";
}
