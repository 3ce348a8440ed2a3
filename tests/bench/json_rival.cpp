/* simdjson's ways from a sales event to the bench's columns. Dates and decimals are converted by our own functions, so
 * that only the reading differs. */
#include "json_rival.h"

#include <cstring>
#include <memory>
#include <simdjson.h>

extern "C" {
int time_parse_date(const char *text, size_t size, int32_t *out);
#include "json/number.h"
}

namespace
{

using namespace simdjson;

constexpr size_t room = 1 << 20;
std::unique_ptr<ondemand::parser> on_demand;
std::unique_ptr<dom::parser> tree;

bool add_text(ondemand::object &object, const char *name, SfColumnBuilder *column)
{
    std::string_view text;
    if (object.find_field(name).get_string().get(text))
        return false;
    sf_add_str(column, text.data(), static_cast<int64_t>(text.size()));
    return true;
}

bool add_date(ondemand::object &object, const char *name, SfColumnBuilder *column)
{
    std::string_view text;
    int32_t days = 0;
    if (object.find_field(name).get_string().get(text) || time_parse_date(text.data(), text.size(), &days))
        return false;
    sf_add_i32(column, days);
    return true;
}

bool add_int(ondemand::object &object, const char *name, SfColumnBuilder *column)
{
    int64_t value = 0;
    if (object.find_field(name).get_int64().get(value) || value != static_cast<int32_t>(value))
        return false;
    sf_add_i32(column, static_cast<int32_t>(value));
    return true;
}

bool add_decimal(ondemand::object &object, const char *name, SfColumnBuilder *column)
{
    ondemand::value value;
    ShortNumber number;
    int64_t decimal = 0;
    if (object.find_field(name).get(value))
        return false;
    std::string_view text = value.raw_json_token();
    double checked;
    if (value.get_double().get(checked) || !number_scan_short(text.data(), text.data() + text.size() + 1, &number) ||
        !number_short_scale(&number, 2, &decimal))
        return false;
    sf_add_decimal(column, SfDecimal{static_cast<uint64_t>(decimal), decimal < 0 ? -1 : 0});
    return true;
}

} // namespace

extern "C" const char *rival_use(size_t number)
{
    size_t i = 0;
    for (auto implementation : get_available_implementations()) {
        if (i++ != number)
            continue;
        if (!implementation->supported_by_runtime_system())
            return "";
        get_active_implementation() = implementation;
        on_demand = std::make_unique<ondemand::parser>();
        tree = std::make_unique<dom::parser>();
        if (on_demand->allocate(room) || tree->allocate(room))
            return "";
        static std::string name;
        name = implementation->name();
        return name.c_str();
    }
    return nullptr;
}

extern "C" bool rival_decode(const char *text, size_t size, SfBuilder *builder)
{
    static const char *const texts[] = {"customer_id",  "customer_name", "product_id",
                                        "product_name", "category",      "region"};
    ondemand::document document;
    ondemand::object object;
    if (on_demand->iterate(text, size, size + SIMDJSON_PADDING).get(document) || document.get_object().get(object))
        return false;
    if (!add_text(object, "order_id", sf_builder_column(builder, 0)) ||
        !add_date(object, "order_date", sf_builder_column(builder, 1)))
        return false;
    for (size_t i = 0; i < 6; i++)
        if (!add_text(object, texts[i], sf_builder_column(builder, 2 + i)))
            return false;
    return add_int(object, "quantity", sf_builder_column(builder, 8)) &&
           add_decimal(object, "sales", sf_builder_column(builder, 9)) &&
           add_decimal(object, "discount", sf_builder_column(builder, 10)) &&
           add_decimal(object, "profit", sf_builder_column(builder, 11));
}

extern "C" bool rival_parse(const char *text, size_t size)
{
    return !tree->parse(text, size, false).error();
}
